-- ?1: keys of customers as a JSON array, ?2: the day.
-- Gives [customer_key, currency, outstanding, overdue, unapplied] for each with anything open on the day.
WITH
asked AS (SELECT value AS key FROM json_each(?1)),
-- What was allocated after the day was still open on it, on both sides.
later AS (
    SELECT a.* FROM asked
    CROSS JOIN allocation AS a ON a.customer_key = asked.key
    WHERE a.allocated_on > ?2
),
piece AS (
    SELECT i.customer_key, i.currency, i.kind, i.due_on, i.open_minor AS minor
    FROM asked CROSS JOIN invoice AS i ON i.customer_key = asked.key
    WHERE i.issued_on <= ?2 AND i.open_minor > 0
    UNION ALL
    SELECT i.customer_key, i.currency, i.kind, i.due_on, l.amount_minor
    FROM later AS l CROSS JOIN invoice AS i ON i.key = l.invoice_key
    WHERE i.issued_on <= ?2
    UNION ALL
    SELECT i.customer_key, i.currency, i.kind, i.due_on, l.amount_minor
    FROM later AS l CROSS JOIN invoice AS i ON i.key = l.credit_key
    WHERE i.issued_on <= ?2
    UNION ALL
    SELECT p.customer_key, p.currency, 'credit-note', p.received_on, p.unallocated_minor
    FROM asked CROSS JOIN payment AS p ON p.customer_key = asked.key
    WHERE p.received_on <= ?2 AND p.unallocated_minor > 0
    UNION ALL
    SELECT p.customer_key, p.currency, 'credit-note', p.received_on, l.amount_minor
    FROM later AS l CROSS JOIN payment AS p ON p.key = l.payment_key
    WHERE p.received_on <= ?2
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
