-- Gives [broken, ids] for payments whose payer named more than was paid.
WITH
broken AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place
    FROM payment NOT INDEXED
    WHERE
        designation IS NOT NULL
        AND (SELECT sum(part.value ->> 1) FROM json_each(designation) AS part) > amount_minor
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
