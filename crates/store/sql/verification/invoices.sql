-- Gives [broken, ids] for documents whose rest is not their amount less what was set against them, and credit notes
-- whose rest is not their amount less what they were set against.
WITH
piece AS (
    SELECT invoice_key AS key, amount_minor AS minor FROM allocation WHERE invoice_key IS NOT NULL
    UNION ALL
    SELECT credit_key, amount_minor FROM allocation WHERE credit_key IS NOT NULL
),
met AS (SELECT key, sum(minor) AS minor FROM piece GROUP BY key),
broken AS (
    SELECT i.id, row_number() OVER (ORDER BY i.id) AS place
    FROM invoice AS i LEFT JOIN met AS m ON m.key = i.key
    WHERE i.open_minor + coalesce(m.minor, 0) <> i.amount_minor
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
