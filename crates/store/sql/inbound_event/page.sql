-- ?1: the source, ?2: after this key, ?3: at most so many, ?4: in this state, null for any, ?5: the one of this id,
-- null for all, ?6: whether with the body.
-- Gives [[key, id, kind, received_at, state, makes], [customer_id, made, code, detail, body], [tries, next_try_at]].
SELECT
    json_group_array(
        json_array(
            json_array(key, id, kind, received_at, state, makes),
            json_array(customer_id, made, code, detail, CASE WHEN ?6 <> 0 THEN body END),
            json_array(tries, next_try_at)
        )
    )
FROM (
    SELECT e.*, c.id AS customer_id
    FROM inbound_event AS e
    LEFT JOIN customer AS c ON c.key = e.customer_key
    WHERE
        e.source_key = ?1 AND e.key > ?2 AND (?4 IS NULL OR e.state = ?4) AND (?5 IS NULL OR e.id = ?5)
    ORDER BY e.key
    LIMIT ?3
)
