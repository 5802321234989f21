-- ?1: after this key, ?2: at most so many.
-- Gives [key, id, customer id, order_id, [minor, currency], purpose, terms_days, base_minor, verdict, rules] of every hold
-- of an order that a check opened, the oldest first.
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
    WHERE state = 'held' AND key > ?1 AND minor IS NOT NULL
    ORDER BY key
    LIMIT ?2
) AS h
CROSS JOIN customer AS c ON c.key = h.customer_key
