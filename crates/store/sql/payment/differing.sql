-- ?1: rows as in payment/insert_all.sql. Gives [row, field] for each row whose id is stored with other content.
WITH
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN c.id IS NOT j.value ->> 2 THEN 'customer_id'
            WHEN p.received_on IS NOT j.value ->> 3 THEN 'received_on'
            WHEN p.amount_minor IS NOT j.value ->> 4 THEN 'amount'
            WHEN p.currency IS NOT j.value ->> 5 THEN 'currency'
            WHEN i.id IS NOT j.value ->> 6 THEN 'invoice_id'
        END AS field
    FROM json_each(?1) AS j
    CROSS JOIN payment AS p ON p.id = j.value ->> 1
    CROSS JOIN customer AS c ON c.key = p.customer_key
    LEFT JOIN invoice AS i ON i.key = p.invoice_key
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
