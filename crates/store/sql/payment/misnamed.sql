-- ?1: rows as in payment/insert_all.sql. Gives [row, refusal] for each row that names an invoice it cannot pay.
WITH
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN i.key IS NULL THEN 'unknown-invoice'
            WHEN i.customer_key IS NOT coalesce(c.merged_key, c.key) THEN 'invoice-of-another-customer'
            WHEN i.kind = 'credit-note' THEN 'not-payable'
            WHEN i.currency IS NOT j.value ->> 5 THEN 'currency-mismatch'
        END AS refusal
    FROM json_each(?1) AS j
    CROSS JOIN customer AS c ON c.id = j.value ->> 2
    LEFT JOIN invoice AS i ON i.id = j.value ->> 6
    WHERE j.value ->> 6 IS NOT NULL
)
SELECT json_group_array(json_array(row, refusal))
FROM (SELECT row, refusal FROM pair WHERE refusal IS NOT NULL ORDER BY row)
