-- Gives [broken, ids] for documents and payments that do not read as their last correction left them, or whose
-- correction the audit chain tells otherwise; and for corrections in the chain that were not made.
WITH
entry AS (
    SELECT key, noun, action, id, CASE WHEN json_valid(change) THEN change END AS change
    FROM audit
    WHERE action = 'correct' AND noun IN ('invoice', 'payment')
),
corrected AS (
    SELECT
        c.key, c.before, c.after, c.entry_key, c.invoice_key, c.payment_key, coalesce(i.id, p.id) AS id,
        (SELECT w.id FROM invoice AS w WHERE w.key = i.parent_key) AS whole,
        json_object(
            'issued_on', i.issued_on, 'due_on', i.due_on, 'received_on', p.received_on,
            'amount_minor', coalesce(i.amount_minor, p.amount_minor), 'penalty', i.penalty,
            'version_key', i.version_key,
            'relates_to', coalesce((SELECT r.id FROM invoice AS r WHERE r.key = i.relates_key), ''),
            'invoice_id', coalesce((SELECT r.id FROM invoice AS r WHERE r.key = p.invoice_key), ''),
            'designation', coalesce(p.designation, '[]')
        ) AS reads
    FROM correction AS c
    LEFT JOIN invoice AS i ON i.key = c.invoice_key
    LEFT JOIN payment AS p ON p.key = c.payment_key
),
found AS (
    SELECT c.id
    FROM corrected AS c CROSS JOIN json_each(c.after) AS f
    WHERE
        f.value IS NOT c.reads ->> f.key
        AND NOT EXISTS (
            SELECT 1 FROM correction AS later
            WHERE
                (later.invoice_key = c.invoice_key OR later.payment_key = c.payment_key) AND later.key > c.key
                AND later.after ->> f.key IS NOT NULL
        )
    UNION ALL
    SELECT c.id
    FROM corrected AS c LEFT JOIN entry AS e ON e.key = c.entry_key
    WHERE
        c.entry_key IS NOT NULL
        AND (
            e.key IS NULL OR (e.id <> c.id AND e.id IS NOT c.whole)
            OR EXISTS (
                SELECT 1 FROM json_each(c.before) AS f WHERE f.value IS NOT e.change ->> ('$.before.' || f.key)
            )
            OR EXISTS (
                SELECT 1 FROM json_each(c.after) AS f WHERE f.value IS NOT e.change ->> ('$.after[0].' || f.key)
            )
        )
    UNION ALL
    SELECT e.id FROM entry AS e WHERE e.key NOT IN (SELECT entry_key FROM correction WHERE entry_key IS NOT NULL)
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM (SELECT DISTINCT id FROM found))
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
