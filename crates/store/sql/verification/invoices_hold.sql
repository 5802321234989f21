-- Gives 1 if what is open of every document is its amount less what was set against it, and of every credit note less
-- what it was set against: two passes over the allocations and two over the documents.
WITH
piece AS (
    SELECT invoice_key AS key, amount_minor AS minor FROM allocation NOT INDEXED WHERE invoice_key IS NOT NULL
    UNION ALL
    SELECT credit_key, amount_minor FROM allocation NOT INDEXED WHERE credit_key IS NOT NULL
),
met AS (SELECT key, sum(minor) AS minor FROM piece GROUP BY key),
-- Documents of which something is closed, and those of them whose rest says the same.
told AS (
    SELECT count(*) AS met, sum(i.amount_minor - i.open_minor = m.minor) AS fitting
    FROM met AS m CROSS JOIN invoice AS i ON i.key = m.key
    WHERE m.minor <> 0
)
-- When there are as many as say that something is closed, none of the others says so.
SELECT
    met = coalesce(fitting, 0) AND met = (SELECT count(*) FROM invoice WHERE amount_minor <> open_minor)
FROM told
