-- ?1: keys of customers as a JSON array.
-- Gives [invoice_key, opened_on, resolved_on, minor] of all that was ever contested of their documents.
SELECT json_group_array(json_array(d.invoice_key, d.opened_on, d.resolved_on, d.minor))
FROM json_each(?1) AS j CROSS JOIN dispute AS d ON d.customer_key = j.value
