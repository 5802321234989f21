-- ?1: ids of documents as a JSON array.
-- Gives [id, is a credit note] of those of which something is open, instalments included, and of credit notes that are
-- worth anything.
SELECT json_group_array(json_array(i.id, i.kind = 'credit-note'))
FROM json_each(?1) AS j
CROSS JOIN invoice AS i ON i.id = j.value
WHERE
    CASE i.kind
        WHEN 'credit-note' THEN i.amount_minor > 0
        ELSE i.open_minor > 0
        OR EXISTS (SELECT 1 FROM invoice AS p WHERE p.parent_key = i.key AND p.open_minor > 0)
    END
