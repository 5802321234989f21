-- ?1: now, ?2: at most so many, ?3: after this key.
-- Gives what credit/standing_holds.sql gives, of holds whose release ran out and whose orders nobody looked at since.
SELECT
    json_group_array(
        json_array(
            h.key, h.id, c.id, h.order_id, json_array(h.minor, h.currency), h.purpose, h.terms_days, h.base_minor,
            h.verdict, json(h.rules)
        )
        ORDER BY h.key
    )
FROM (
    SELECT * FROM credit_hold
    WHERE
        released_until <= ?1 AND released_until IS NOT NULL AND followed_at IS NULL AND minor IS NOT NULL AND +key > ?3
    ORDER BY +key
    LIMIT ?2
) AS h
CROSS JOIN customer AS c ON c.key = h.customer_key
