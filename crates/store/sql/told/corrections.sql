-- ?1: the document or null, ?2: the payment or null, ?3: the last audit entry that was known.
-- Gives [id, field, before, after, moment, reason] of what was corrected of it and its instalments, oldest first. What
-- an instalment shares with its invoice is told of the invoice.
WITH
own AS (
    SELECT c.key, p.id, c.before, c.after, c.reason, c.entry_key
    FROM correction AS c CROSS JOIN payment AS p ON p.key = c.payment_key
    WHERE c.payment_key = ?2
    UNION ALL
    SELECT c.key, i.id, c.before, c.after, c.reason, c.entry_key
    FROM correction AS c CROSS JOIN invoice AS i ON i.key = c.invoice_key
    WHERE c.invoice_key = ?1
    UNION ALL
    SELECT c.key, i.id, c.before, c.after, c.reason, c.entry_key
    FROM invoice AS i
    CROSS JOIN correction AS c ON c.invoice_key = i.key
    WHERE
        i.parent_key = ?1
        AND NOT EXISTS (SELECT 1 FROM correction AS w WHERE w.invoice_key = ?1 AND w.entry_key = c.entry_key)
)
SELECT json_group_array(json_array(id, field, was, became, at, reason))
FROM (
    SELECT
        o.id, CASE f.key WHEN 'amount_minor' THEN 'minor' ELSE f.key END AS field,
        CASE f.key
            WHEN 'designation'
                THEN (
                    SELECT json_group_array(json_object('invoice_id', i.id, 'minor', n.value ->> 1))
                    FROM json_each(o.before ->> 'designation') AS n CROSS JOIN invoice AS i ON i.key = n.value ->> 0
                )
            WHEN 'penalty' THEN iif(o.before ->> 'penalty', 'true', 'false')
            ELSE nullif(CAST(o.before ->> f.key AS TEXT), '')
        END AS was,
        CASE f.key
            WHEN 'designation'
                THEN (
                    SELECT json_group_array(json_object('invoice_id', i.id, 'minor', n.value ->> 1))
                    FROM json_each(f.value) AS n CROSS JOIN invoice AS i ON i.key = n.value ->> 0
                )
            WHEN 'penalty' THEN iif(f.value, 'true', 'false')
            ELSE nullif(CAST(f.value AS TEXT), '')
        END AS became,
        a.at, o.reason
    FROM own AS o
    CROSS JOIN json_each(o.after) AS f
    LEFT JOIN audit AS a ON a.key = o.entry_key
    WHERE o.entry_key IS NULL OR o.entry_key <= ?3
    ORDER BY o.key, field
)
