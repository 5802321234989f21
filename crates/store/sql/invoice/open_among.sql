-- ?1: ids of documents as a JSON array.
-- Gives for each in their order 1 where something is open of it or its instalments, or it is a credit note that is worth
-- anything, and 0 where not or where it is not there.
SELECT
    json_group_array(
        CASE
            WHEN i.kind = 'credit-note' THEN i.amount_minor > 0
            ELSE
                coalesce(i.open_minor > 0, 0)
                OR EXISTS (SELECT 1 FROM invoice AS p WHERE p.parent_key = i.key AND p.open_minor > 0)
        END
    )
FROM json_each(?1) AS j
LEFT JOIN invoice AS i ON i.id = j.value
