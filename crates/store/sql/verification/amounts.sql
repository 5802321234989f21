-- Gives [broken, ids] for documents and payments with a part below zero or above the whole.
WITH
found AS (
    SELECT 'invoice ' || id AS id
    FROM invoice NOT INDEXED
    WHERE open_minor NOT BETWEEN 0 AND amount_minor OR disputed_minor NOT BETWEEN 0 AND amount_minor
    UNION ALL
    SELECT 'payment ' || id
    FROM payment
    WHERE unallocated_minor NOT BETWEEN 0 AND amount_minor OR converted_minor NOT BETWEEN 0 AND amount_minor
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM found)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
