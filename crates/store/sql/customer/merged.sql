-- ?1: rows whose field 1 is their id and field 2 names a customer, ?2: 1 for invoices, 0 for payments.
-- Gives [row] for each that is not stored and names a customer who was merged into another.
SELECT json_group_array(row)
FROM (
    SELECT j.value ->> 0 AS row
    FROM json_each(?1) AS j
    CROSS JOIN customer AS c ON c.id = j.value ->> 2
    WHERE
        c.merged_key IS NOT NULL
        AND NOT (?2 = 1 AND EXISTS (SELECT 1 FROM invoice AS i WHERE i.id = j.value ->> 1))
        AND NOT (?2 = 0 AND EXISTS (SELECT 1 FROM payment AS p WHERE p.id = j.value ->> 1))
    ORDER BY row
)
