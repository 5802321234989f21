-- ?1: rows whose field 2 names a customer. Gives [row] for each that names one that is not there.
SELECT json_group_array(row)
FROM (
    SELECT j.value ->> 0 AS row
    FROM json_each(?1) AS j
    WHERE NOT EXISTS (SELECT 1 FROM customer AS c WHERE c.id = j.value ->> 2)
    ORDER BY row
)
