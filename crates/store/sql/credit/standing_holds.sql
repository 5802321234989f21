-- ?1: after this key, ?2: at most so many.
-- Gives [key, id, customer id, order_id, minor, currency, purpose] of every hold of an order that a check opened and
-- that may clear by itself.
SELECT
    json_group_array(
        json_array(h.key, h.id, c.id, h.order_id, h.minor, h.currency, h.purpose) ORDER BY h.key
    )
FROM (
    SELECT * FROM credit_hold
    WHERE state = 'held' AND key > ?1 AND minor IS NOT NULL AND verdict = 'hold'
    ORDER BY key
    LIMIT ?2
) AS h
CROSS JOIN customer AS c ON c.key = h.customer_key
