-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, invoice_key, opened_on, resolved_on, minor, [[key of the instalment, minor,
-- upheld_minor]]] of the disputes of documents with instalments.
SELECT
    json_group_array(
        json_array(
            w.customer_key, i.currency, w.key, w.id, w.invoice_key, w.opened_on, w.resolved_on, w.minor,
            json((
                SELECT json_group_array(json_array(p.invoice_key, p.minor, p.upheld_minor))
                FROM dispute AS p WHERE p.whole_key = w.key
            ))
        )
    )
FROM json_each(?1) AS j
CROSS JOIN dispute AS w ON w.customer_key = j.value
CROSS JOIN invoice AS i ON i.key = w.invoice_key
WHERE EXISTS (SELECT 1 FROM dispute AS p WHERE p.whole_key = w.key)
