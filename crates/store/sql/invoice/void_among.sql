-- ?1: rows as in invoice/insert_all.sql. Gives [row, ...]: those whose documents are void.
SELECT json_group_array(row)
FROM (
    SELECT j.value ->> 0 AS row
    FROM json_each(?1) AS j
    CROSS JOIN adjustment AS a ON a.id = 'void/' || (j.value ->> 1)
    WHERE a.until_on IS NULL
    ORDER BY row
)
