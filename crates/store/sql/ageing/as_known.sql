-- ?10: the last audit entry that was known.
-- The tables that reports are summed over, as they read then. Put before another statement, its tables are these, because
-- the name of a common table hides the name of a table. What is open is what is open now and what was taken off it by
-- what was recorded since; an amount that was corrected since reads as before.
WITH
since AS MATERIALIZED (
    SELECT invoice_key, payment_key, credit_key, amount_minor FROM main.allocation WHERE entry_key > ?10
),
undone_of_invoice AS MATERIALIZED (
    SELECT key, sum(minor) AS minor
    FROM (
        SELECT invoice_key AS key, amount_minor AS minor FROM since WHERE invoice_key IS NOT NULL
        UNION ALL
        SELECT credit_key, amount_minor FROM since WHERE credit_key IS NOT NULL
    )
    GROUP BY key
),
undone_of_payment AS MATERIALIZED (
    SELECT payment_key AS key, sum(amount_minor) AS minor FROM since WHERE payment_key IS NOT NULL GROUP BY payment_key
),
-- The first value that a correction since then replaced, of each field.
before AS MATERIALIZED (
    SELECT invoice_key, payment_key, json_group_object(field, value) AS fields
    FROM (
        SELECT c.invoice_key, c.payment_key, f.key AS field, f.value AS value, min(c.key)
        FROM main.correction AS c CROSS JOIN json_each(c.before) AS f
        WHERE c.entry_key > ?10
        GROUP BY c.invoice_key, c.payment_key, f.key
    )
    GROUP BY invoice_key, payment_key
),
allocation AS NOT MATERIALIZED (
    SELECT * FROM main.allocation WHERE coalesce(entry_key, 0) <= ?10
),
contested AS MATERIALIZED (
    SELECT d.invoice_key AS key
    FROM main.dispute AS d
    LEFT JOIN main.dispute_former AS f ON f.dispute_key = d.key AND f.entry_key <= ?10 AND f.until_entry_key > ?10
    WHERE
        coalesce(d.entry_key, 0) <= ?10
        AND iif(coalesce(d.resolved_entry_key, 0) <= ?10, d.outcome, f.outcome) IS NULL
        AND iif(coalesce(d.resolved_entry_key, 0) <= ?10, d.minor, coalesce(f.minor, d.minor)) > 0
),
invoice AS NOT MATERIALIZED (
    SELECT
        i.key, i.id, i.customer_key, i.kind, i.currency,
        coalesce(b.fields ->> 'issued_on', i.issued_on) AS issued_on,
        coalesce(b.fields ->> 'due_on', i.due_on) AS due_on,
        coalesce(b.fields ->> 'amount_minor', i.amount_minor) AS amount_minor,
        i.open_minor + coalesce(b.fields ->> 'amount_minor', i.amount_minor) - i.amount_minor + coalesce(u.minor, 0)
            AS open_minor,
        i.key IN (SELECT key FROM contested) AS disputed
    FROM main.invoice AS i
    LEFT JOIN undone_of_invoice AS u ON u.key = i.key
    LEFT JOIN before AS b ON b.invoice_key = i.key
    WHERE coalesce(i.entry_key, 0) <= ?10
),
payment AS NOT MATERIALIZED (
    SELECT
        p.key, p.id, p.customer_key, p.currency, coalesce(b.fields ->> 'received_on', p.received_on) AS received_on,
        p.unallocated_minor + coalesce(b.fields ->> 'amount_minor', p.amount_minor) - p.amount_minor
        + coalesce(u.minor, 0) AS unallocated_minor
    FROM main.payment AS p
    LEFT JOIN undone_of_payment AS u ON u.key = p.key
    LEFT JOIN before AS b ON b.payment_key = p.key
    WHERE coalesce(p.entry_key, 0) <= ?10
)
SELECT 1
