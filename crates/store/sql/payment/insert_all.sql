-- ?1: rows as [row, id, customer_id, received_on, amount_minor, currency, invoice_id], and for single payments
-- contract_key, order, designation, deductions, settles, converted_from_key, converted_minor; ?2: the audit entry.
-- A row whose id is there already, or that names what cannot be named, is left out; payment/differing.sql,
-- customer/unknown.sql, customer/merged.sql and payment/misnamed.sql tell which.
INSERT INTO payment
    (id, customer_key, received_on, amount_minor, currency, invoice_key, unallocated_minor, contract_key,
     allocation_order, designation, deductions, settles, converted_from_key, converted_minor, entry_key)
SELECT
    j.value ->> 1, c.key, j.value ->> 3, j.value ->> 4, j.value ->> 5, i.key,
    j.value ->> 4 - coalesce(j.value ->> 13, 0), j.value ->> 7, j.value ->> 8, j.value ->> 9, j.value ->> 10,
    j.value ->> 11, j.value ->> 12, coalesce(j.value ->> 13, 0), ?2
FROM json_each(?1) AS j
CROSS JOIN customer AS c ON c.id = j.value ->> 2
LEFT JOIN invoice AS i ON i.id = j.value ->> 6
WHERE
    c.merged_key IS NULL
    AND (
        j.value ->> 6 IS NULL
        OR (i.customer_key = c.key AND i.currency = j.value ->> 5 AND i.kind <> 'credit-note')
    )
ON CONFLICT (id) DO NOTHING
