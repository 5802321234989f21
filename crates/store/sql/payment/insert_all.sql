-- ?1: rows as [row, id, customer_id, received_on, amount_minor, currency, invoice_id].
-- A row whose id is there already, or that names what cannot be named, is left out; payment/differing.sql,
-- customer/unknown.sql and payment/misnamed.sql tell which.
INSERT INTO payment
    (id, customer_key, received_on, amount_minor, currency, invoice_key, unallocated_minor)
SELECT
    j.value ->> 1, c.key, j.value ->> 3, j.value ->> 4, j.value ->> 5, i.key, j.value ->> 4
FROM json_each(?1) AS j
CROSS JOIN customer AS c ON c.id = j.value ->> 2
LEFT JOIN invoice AS i ON i.id = j.value ->> 6
WHERE
    j.value ->> 6 IS NULL
    OR (i.customer_key = c.key AND i.currency = j.value ->> 5 AND i.kind <> 'credit-note')
ON CONFLICT (id) DO NOTHING
