-- ?1: keys of customers as a JSON array.
-- Gives [invoice_key, opened_on, resolved_on, minor] of all that was ever contested of what can be paid. What is contested
-- of documents with instalments is spread in the replay.
SELECT json_group_array(json_array(d.invoice_key, d.opened_on, d.resolved_on, d.minor))
FROM json_each(?1) AS j CROSS JOIN dispute AS d ON d.customer_key = j.value
WHERE d.whole_key IS NULL AND NOT EXISTS (SELECT 1 FROM dispute AS p WHERE p.whole_key = d.key)
