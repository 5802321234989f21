-- Gives [broken, ids] for payments of which another sum went back than their reversals say, and credit notes of which
-- another was paid out than their refunds that stand say.
WITH
piece AS (
    SELECT payment_key, credit_key, amount_minor AS minor FROM allocation WHERE invoice_key IS NULL
    UNION ALL
    SELECT payment_key, NULL, -minor FROM reversal
    UNION ALL
    SELECT NULL, credit_key, -minor FROM credit_refund WHERE reversed_on IS NULL
),
broken AS (
    SELECT coalesce(p.id, c.id) AS id, row_number() OVER (ORDER BY coalesce(p.id, c.id)) AS place
    FROM (SELECT payment_key, credit_key FROM piece GROUP BY payment_key, credit_key HAVING sum(minor) <> 0) AS b
    LEFT JOIN payment AS p ON p.key = b.payment_key
    LEFT JOIN invoice AS c ON c.key = b.credit_key
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
