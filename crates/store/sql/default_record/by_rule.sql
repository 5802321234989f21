-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, closed_on, amount_minor] of the defaults that the rule opened and that are open or were
-- withdrawn.
SELECT json_group_array(json_array(d.customer_key, d.currency, d.key, d.id, d.closed_on, d.amount_minor))
FROM json_each(?1) AS j
CROSS JOIN default_record AS d ON d.customer_key = j.value
WHERE d.by_rule = 1 AND d.state IN ('open', 'withdrawn')
