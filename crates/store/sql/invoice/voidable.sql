-- ?1: rows as in invoice/insert_all.sql. Of those that say of a document that it is to be void here, and of which something
-- is open, or which is a credit note that is worth anything, gives [row, field, id]: the field in which the document is
-- another than the row says, or an empty text. A customer who was merged is the one it was merged into.
SELECT json_group_array(json_array(row, field, id))
FROM (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN i.customer_key IS NOT coalesce(c.merged_key, c.key) THEN 'customer_id'
            WHEN i.currency <> j.value ->> 7 THEN 'currency'
            WHEN
                i.amount_minor
                + coalesce((SELECT sum(p.amount_minor) FROM invoice AS p WHERE p.parent_key = i.key), 0)
                <> j.value ->> 6
                THEN 'amount'
            ELSE ''
        END AS field,
        i.id
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.id = j.value ->> 1
    LEFT JOIN customer AS c ON c.id = j.value ->> 2
    WHERE
        j.value ->> 9 ->> '$.voids'
        AND CASE i.kind
            WHEN 'credit-note' THEN i.amount_minor > 0
            ELSE
                i.open_minor > 0
                OR EXISTS (SELECT 1 FROM invoice AS p WHERE p.parent_key = i.key AND p.open_minor > 0)
        END
    ORDER BY row
)
