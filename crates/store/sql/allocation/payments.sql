-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, received_on, amount_minor, invoice_key] for all their payments.
SELECT json_group_array(json_array(customer_key, currency, key, id, received_on, amount_minor, invoice_key))
FROM (
    SELECT p.* FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.customer_key = j.value
    ORDER BY p.customer_key, p.currency
)
