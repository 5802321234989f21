-- ?1: rows as in customer/insert_all.sql. Gives [row, refusal] for each that is not stored and whose parent cannot be one.
WITH
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN p.key IS NULL THEN 'unknown-customer'
            WHEN p.merged_key IS NOT NULL THEN 'customer-merged'
            ELSE 'group-nested'
        END AS refusal
    FROM json_each(?1) AS j
    LEFT JOIN customer AS p ON p.id = j.value ->> 14
    WHERE
        j.value ->> 14 IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM customer AS c WHERE c.id = j.value ->> 1)
)
SELECT json_group_array(json_array(row, refusal)) FROM (SELECT row, refusal FROM pair ORDER BY row)
