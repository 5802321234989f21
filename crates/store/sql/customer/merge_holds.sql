-- ?1: the customer that goes, ?2: the one that stays.
-- Gives what credit/standing_holds.sql gives, of one of two holds of an order that checks opened for both: that of the one
-- that goes, but where it alone is forced.
SELECT
    json_group_array(
        json_array(
            h.key, h.id, c.id, h.order_id, json_array(h.minor, h.currency), h.purpose, h.terms_days, h.base_minor,
            h.verdict, json(h.rules)
        )
        ORDER BY h.key
    )
FROM json_each(json_array(?1, ?2)) AS pair
CROSS JOIN credit_hold AS h ON h.customer_key = pair.value
CROSS JOIN credit_hold AS o ON o.order_id = h.order_id
CROSS JOIN customer AS c ON c.key = h.customer_key
WHERE
    o.customer_key IN (?1, ?2) AND o.customer_key <> h.customer_key
    AND h.state = 'held' AND o.state = 'held' AND h.minor IS NOT NULL AND o.minor IS NOT NULL
    AND (o.verdict = 'forced-hold', o.customer_key = ?2) > (h.verdict = 'forced-hold', h.customer_key = ?2)
