-- ?1: rows as in payment/insert_all.sql. Gives [row, field] for each row whose id is stored with other content.
-- A customer who was merged is the one it was merged into.
WITH
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN p.customer_key IS NOT coalesce(c.merged_key, c.key) THEN 'customer_id'
            WHEN p.received_on IS NOT j.value ->> 3 THEN 'received_on'
            WHEN p.amount_minor IS NOT j.value ->> 4 THEN 'amount'
            WHEN p.currency IS NOT j.value ->> 5 THEN 'currency'
            WHEN i.id IS NOT j.value ->> 6 THEN 'invoice_id'
            WHEN p.contract_key IS NOT j.value ->> 7 THEN 'contract_id'
            WHEN p.allocation_order IS NOT j.value ->> 8 THEN 'order'
            WHEN p.designation IS NOT j.value ->> 9 THEN 'designation'
            WHEN p.deductions IS NOT j.value ->> 10 THEN 'deductions'
            WHEN p.settles IS NOT j.value ->> 11 THEN 'settles'
        END AS field
    FROM json_each(?1) AS j
    CROSS JOIN payment AS p ON p.id = j.value ->> 1
    LEFT JOIN customer AS c ON c.id = j.value ->> 2
    LEFT JOIN invoice AS i ON i.key = p.invoice_key
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
