-- ?1: the id, ?2: after this change, ?3: at most so many, ?4: the day, ?5: the moment of knowledge or null. Gives the contract's customer-change, oldest first.
SELECT
    json_group_array(
        json_object(
            'key', key, 'customer_id', ?1, 'on', changed_on, 'part', part, 'added', added, 'removed', removed,
            'recorded_at', recorded_at
        )
    )
FROM (
    SELECT * FROM customer_change
    WHERE customer_key = (SELECT key FROM customer WHERE id = ?1) AND key > ?2 AND changed_on <= ?4
        AND (?5 IS NULL OR recorded_at <= ?5)
    ORDER BY key
    LIMIT ?3
)
