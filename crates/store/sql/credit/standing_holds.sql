-- ?1: after this customer, ?2: up to this one.
-- Gives [id, customer id, order_id, minor, currency, purpose, rules] of every hold of an order that a check opened and
-- that may clear by itself.
SELECT
    json_group_array(
        json_array(h.id, c.id, h.order_id, h.minor, h.currency, h.purpose, json(h.rules)) ORDER BY h.key
    )
FROM credit_hold AS h
CROSS JOIN customer AS c ON c.key = h.customer_key
WHERE
    h.customer_key > ?1 AND h.customer_key <= ?2 AND h.state = 'held' AND h.minor IS NOT NULL
    AND h.verdict = 'hold'
