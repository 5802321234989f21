-- ?1: keys of customers as a JSON array, ?2: the day, ?3: the last audit entry that was known.
-- Gives [customer_key, currency, contract_key, outstanding] of what was open on the day under each contract, as known
-- then: contract/outstanding.sql from the ground up.
WITH
asked AS (SELECT value AS key FROM json_each(?1)),
-- What a document said then: a correction that came later is undone.
document AS (
    SELECT
        i.key, i.customer_key, i.currency, i.kind,
        coalesce(
            (
                SELECT c.before ->> 'version_key' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?3 AND c.before ->> 'version_key' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.version_key
        ) AS version_key,
        coalesce(
            (
                SELECT c.before ->> 'issued_on' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?3 AND c.before ->> 'issued_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.issued_on
        ) AS issued_on,
        coalesce(
            (
                SELECT c.before ->> 'due_on' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?3 AND c.before ->> 'due_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.due_on
        ) AS due_on,
        coalesce(
            (
                SELECT c.before ->> 'amount_minor' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?3 AND c.before ->> 'amount_minor' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.amount_minor
        ) AS amount_minor
    FROM asked CROSS JOIN invoice AS i ON i.customer_key = asked.key
    WHERE coalesce(i.entry_key, 0) <= ?3
),
-- What was set off by the day, as far as it was known.
used AS (
    SELECT a.* FROM asked
    CROSS JOIN allocation AS a ON a.customer_key = asked.key
    WHERE a.allocated_on <= ?2 AND coalesce(a.entry_key, 0) <= ?3
),
piece AS (
    SELECT d.customer_key, d.currency, d.version_key, d.amount_minor AS minor FROM document AS d
    WHERE d.issued_on <= ?2 AND d.kind <> 'credit-note' AND d.version_key IS NOT NULL
    UNION ALL
    SELECT d.customer_key, d.currency, d.version_key, -u.amount_minor
    FROM used AS u CROSS JOIN document AS d ON d.key = u.invoice_key
    WHERE d.issued_on <= ?2 AND d.kind <> 'credit-note' AND d.version_key IS NOT NULL
)
SELECT json_group_array(json_array(customer_key, currency, contract_key, outstanding))
FROM (
    SELECT p.customer_key, p.currency, v.contract_key, sum(p.minor) AS outstanding
    FROM piece AS p
    CROSS JOIN contract_version AS v ON v.key = p.version_key
    GROUP BY p.customer_key, p.currency, v.contract_key
    HAVING outstanding <> 0
    ORDER BY p.customer_key, p.currency, v.contract_key
)
