-- ?1: [row, id, [[due_on, minor] of each instalment]] of documents that are to be added. Gives [row, the name of an
-- instalment] for each whose instalment would be called like a document that is there or among these, and [row, null]
-- for each whose id stands in an earlier row with other instalments.
WITH
document AS (SELECT j.value ->> 0 AS row, j.value ->> 1 AS id, j.value ->> 2 AS parts FROM json_each(?1) AS j),
part AS (
    SELECT d.row, d.id || '#' || (p.key + 1) AS id
    FROM document AS d
    CROSS JOIN json_each(d.parts) AS p
),
bad AS (
    SELECT p.row, p.id
    FROM part AS p
    WHERE EXISTS (SELECT 1 FROM invoice AS i WHERE i.id = p.id) OR p.id IN (SELECT id FROM document)
    UNION ALL
    SELECT row, NULL
    FROM (SELECT row, parts, first_value(parts) OVER (PARTITION BY id ORDER BY row) AS first_parts FROM document)
    WHERE parts <> first_parts
)
SELECT json_group_array(json_array(row, id)) FROM (SELECT row, min(id) AS id FROM bad GROUP BY row ORDER BY row)
