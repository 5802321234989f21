-- ?1: keys of customers as a JSON array, ?2: the day.
-- Gives [customer_key, currency, key, id, amount_minor, whether it is open, the id of the default it rests on, what closed
-- that as withdrawn] of the defaults that the rule opened and that are open, or were opened on the day.
SELECT
    json_group_array(
        json_array(
            d.customer_key, d.currency, d.key, d.id, d.amount_minor, json(iif(d.state = 'open', 'true', 'false')), o.id,
            iif(o.state = 'withdrawn', coalesce(a.action, 'close'), NULL)
        )
    )
FROM json_each(?1) AS j
CROSS JOIN default_record AS d ON d.customer_key = j.value
LEFT JOIN default_record AS o ON o.key = d.rests_on_key
LEFT JOIN audit AS a ON a.key = o.closed_entry_key
WHERE d.by_rule = 1 AND (d.state = 'open' OR d.found_on = ?2)
