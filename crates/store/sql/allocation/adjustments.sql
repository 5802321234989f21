-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, invoice_key, booked_on, minor, difference, until_on] of what was adjusted.
SELECT
    json_group_array(
        json_array(
            a.customer_key, i.currency, a.key, a.id, a.invoice_key, a.booked_on, a.minor, a.difference, a.until_on
        )
    )
FROM json_each(?1) AS j
CROSS JOIN adjustment AS a ON a.customer_key = j.value
CROSS JOIN invoice AS i ON i.key = a.invoice_key
