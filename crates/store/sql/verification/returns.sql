-- Gives [broken, ids] for payments of which another sum went back than their reversals say.
WITH
piece AS (
    SELECT payment_key AS key, amount_minor AS minor FROM allocation WHERE invoice_key IS NULL
    UNION ALL
    SELECT payment_key, -minor FROM reversal
),
broken AS (
    SELECT p.id, row_number() OVER (ORDER BY p.id) AS place
    FROM (SELECT key FROM piece GROUP BY key HAVING sum(minor) <> 0) AS b CROSS JOIN payment AS p ON p.key = b.key
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
