-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, kind, issued_on, due_on, amount_minor] for all their documents in the ledger.
SELECT json_group_array(json_array(customer_key, currency, key, id, kind, issued_on, due_on, amount_minor))
FROM (
    SELECT i.* FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.customer_key = j.value
    ORDER BY i.customer_key, i.currency
)
