-- ?1: ids of documents as a JSON array.
-- Gives for each in their order: 0 where it is not there or nothing is open of it or its instalments, 1 where something
-- is, 2 where it is a credit note that is worth anything.
SELECT
    json_group_array(
        CASE
            WHEN i.kind = 'credit-note' THEN iif(i.amount_minor > 0, 2, 0)
            ELSE
                coalesce(i.open_minor > 0, 0)
                OR EXISTS (SELECT 1 FROM invoice AS p WHERE p.parent_key = i.key AND p.open_minor > 0)
        END
    )
FROM json_each(?1) AS j
LEFT JOIN invoice AS i ON i.id = j.value
