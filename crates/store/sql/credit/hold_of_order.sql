-- ?1: a customer, ?2: an order.
-- Gives what credit/standing_holds.sql gives, of the hold that a check opened on the order and that stands.
SELECT
    json_array(
        h.key, h.id, c.id, h.order_id, json_array(h.minor, h.currency), h.purpose, h.terms_days, h.base_minor,
        h.verdict, json(h.rules)
    )
FROM credit_hold AS h
CROSS JOIN customer AS c ON c.key = h.customer_key
WHERE h.customer_key = ?1 AND h.order_id = ?2 AND h.state = 'held' AND h.minor IS NOT NULL
