-- Gives [broken, ids] for documents and payments that name an entry which the audit chain does not have.
WITH
head AS MATERIALIZED (SELECT coalesce(max(key), 0) AS key FROM audit),
found AS (
    SELECT 'invoice ' || i.id AS id FROM head CROSS JOIN invoice AS i NOT INDEXED WHERE i.entry_key > head.key
    UNION ALL
    SELECT 'payment ' || p.id FROM head CROSS JOIN payment AS p WHERE p.entry_key > head.key
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM found)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
