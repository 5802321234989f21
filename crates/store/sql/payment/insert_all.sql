-- ?1: rows as [row, id, customer_id, received_on, amount_minor, currency, invoice_id], and for single payments
-- contract_key, order, designation, deductions, settles, converted_from_key, converted_minor, cost_minor; ?2: the audit
-- entry.
-- A row whose id is there already, or that names what cannot be named, is left out; payment/differing.sql,
-- customer/unknown.sql, customer/merged.sql and payment/misnamed.sql tell which. The limit as in
-- invoice/insert_all.sql.
INSERT INTO payment
    (id, customer_key, received_on, amount_minor, currency, invoice_key, unallocated_minor, contract_key,
     allocation_order, designation, deductions, settles, converted_from_key, converted_minor, cost_minor,
     entry_key)
SELECT
    j.part ->> 1, c.key, j.part ->> 3, j.part ->> 4, j.part ->> 5, i.key,
    j.part ->> 4 - coalesce(j.part ->> 13, 0), j.part ->> 7, j.part ->> 8, j.part ->> 9, j.part ->> 10,
    j.part ->> 11, j.part ->> 12, coalesce(j.part ->> 13, 0), j.part ->> 14, ?2
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1) AS j
CROSS JOIN customer AS c ON c.id = j.part ->> 2
LEFT JOIN invoice AS i ON i.id = j.part ->> 6
WHERE
    c.merged_key IS NULL
    AND (
        j.part ->> 6 IS NULL
        OR (i.customer_key = c.key AND i.currency = j.part ->> 5 AND i.kind <> 'credit-note')
    )
ON CONFLICT (id) DO NOTHING
