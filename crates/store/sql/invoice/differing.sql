-- ?1: rows as in invoice/insert_all.sql. Gives [row, field] for each row whose id is stored with other content.
WITH
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN c.id IS NOT j.value ->> 2 THEN 'customer_id'
            WHEN i.kind IS NOT j.value ->> 3 THEN 'kind'
            WHEN i.issued_on IS NOT j.value ->> 4 THEN 'issued_on'
            WHEN i.due_on IS NOT j.value ->> 5 THEN 'due_on'
            WHEN i.amount_minor IS NOT j.value ->> 6 THEN 'amount'
            WHEN i.currency IS NOT j.value ->> 7 THEN 'currency'
            WHEN i.disputed IS NOT j.value ->> 8 THEN 'disputed'
        END AS field
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.id = j.value ->> 1
    CROSS JOIN customer AS c ON c.key = i.customer_key
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
