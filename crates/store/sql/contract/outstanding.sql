-- ?1: keys of customers as a JSON array, ?2: the day.
-- Gives [customer_key, currency, contract_key, outstanding] of what was open on the day under each contract.
WITH
asked AS (SELECT value AS key FROM json_each(?1)),
-- What was allocated after the day was still open on it.
later AS (
    SELECT a.invoice_key, a.amount_minor FROM asked
    CROSS JOIN allocation AS a ON a.customer_key = asked.key
    WHERE a.allocated_on > ?2
),
piece AS (
    SELECT i.customer_key, i.currency, i.version_key, i.open_minor AS minor
    FROM asked CROSS JOIN invoice AS i ON i.customer_key = asked.key
    WHERE i.version_key IS NOT NULL AND i.issued_on <= ?2 AND i.open_minor > 0 AND i.kind <> 'credit-note'
    UNION ALL
    SELECT i.customer_key, i.currency, i.version_key, l.amount_minor
    FROM later AS l CROSS JOIN invoice AS i ON i.key = l.invoice_key
    WHERE i.version_key IS NOT NULL AND i.issued_on <= ?2 AND i.kind <> 'credit-note'
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
