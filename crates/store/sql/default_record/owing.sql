-- ?1: keys of customers as a JSON array, ?2: the business date.
-- Gives [customer_key, currency, outstanding] of whoever owed anything at the day's sweep.
SELECT json_group_array(json_array(a.customer_key, a.currency, a.outstanding_minor))
FROM json_each(?1) AS j
CROSS JOIN arrears AS a ON a.customer_key = j.value
WHERE a.as_of = ?2 AND a.outstanding_minor > 0
