-- ?1: keys of customers as a JSON array, ?2: the day, ?3: the last audit entry that was known.
-- Gives [customer_key, currency, outstanding, overdue, unapplied] for each with anything open on the day, as known then:
-- customer/balances.sql from the ground up.
WITH
asked AS (SELECT value AS key FROM json_each(?1)),
-- What a document said then: a correction that came later is undone.
document AS (
    SELECT
        i.key, i.customer_key, i.currency, i.kind,
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
money AS (
    SELECT
        p.key, p.customer_key, p.currency, p.converted_minor,
        coalesce(
            (
                SELECT c.before ->> 'received_on' FROM correction AS c
                WHERE c.payment_key = p.key AND c.entry_key > ?3 AND c.before ->> 'received_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), p.received_on
        ) AS received_on,
        coalesce(
            (
                SELECT c.before ->> 'amount_minor' FROM correction AS c
                WHERE c.payment_key = p.key AND c.entry_key > ?3 AND c.before ->> 'amount_minor' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), p.amount_minor
        ) AS amount_minor
    FROM asked CROSS JOIN payment AS p ON p.customer_key = asked.key
    WHERE coalesce(p.entry_key, 0) <= ?3
),
-- What was set off by the day, as far as it was known.
used AS (
    SELECT a.* FROM asked
    CROSS JOIN allocation AS a ON a.customer_key = asked.key
    WHERE a.allocated_on <= ?2 AND coalesce(a.entry_key, 0) <= ?3
),
piece AS (
    SELECT d.customer_key, d.currency, d.kind, d.due_on, d.amount_minor AS minor
    FROM document AS d
    WHERE d.issued_on <= ?2
    UNION ALL
    SELECT d.customer_key, d.currency, d.kind, d.due_on, -u.amount_minor
    FROM used AS u CROSS JOIN document AS d ON d.key = u.invoice_key
    WHERE d.issued_on <= ?2
    UNION ALL
    SELECT d.customer_key, d.currency, d.kind, d.due_on, -u.amount_minor
    FROM used AS u CROSS JOIN document AS d ON d.key = u.credit_key
    WHERE d.issued_on <= ?2
    UNION ALL
    SELECT m.customer_key, m.currency, 'credit-note', m.received_on, m.amount_minor - m.converted_minor
    FROM money AS m
    WHERE m.received_on <= ?2
    UNION ALL
    SELECT m.customer_key, m.currency, 'credit-note', m.received_on, -u.amount_minor
    FROM used AS u CROSS JOIN money AS m ON m.key = u.payment_key
    WHERE m.received_on <= ?2
)
SELECT json_group_array(json_array(customer_key, currency, outstanding, overdue, unapplied))
FROM (
    SELECT
        customer_key,
        currency,
        sum(CASE WHEN kind <> 'credit-note' THEN minor ELSE 0 END) AS outstanding,
        sum(CASE WHEN kind <> 'credit-note' AND due_on < ?2 THEN minor ELSE 0 END) AS overdue,
        sum(CASE WHEN kind = 'credit-note' THEN minor ELSE 0 END) AS unapplied
    FROM piece
    GROUP BY customer_key, currency
    HAVING outstanding <> 0 OR unapplied <> 0
    ORDER BY customer_key, currency
)
