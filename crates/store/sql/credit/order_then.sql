-- ?1: id of an order, ?2: the day.
-- Gives the contract's order as it stood on the day.
SELECT
    json_object(
        'id', o.id, 'customer', c.id, 'amount', json_object('minor', o.amount_minor, 'currency', o.currency),
        'delivered_minor', o.delivered_minor, 'invoiced_minor', o.invoiced_minor,
        'cancelled_minor', o.cancelled_minor, 'on', o.from_on, 'undelivered_minor', o.undelivered_minor,
        'unbilled_minor', o.unbilled_minor, 'version', o.version
    )
FROM credit_order AS o
CROSS JOIN customer AS c ON c.key = o.customer_key
WHERE o.id = ?1 AND o.from_on <= ?2
ORDER BY o.until_on DESC, o.key DESC
LIMIT 1
