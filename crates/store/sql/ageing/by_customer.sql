-- ?1: the day of the balance, ?2: after this customer, ?3: up to this one, ?4: 1 for due dates, 0 for dates of issue.
-- Gives [customer_id, currency, date, open] for each customer, currency and date with anything open.
WITH
later AS (
    SELECT i.customer_key, i.currency, i.due_on, i.issued_on, a.amount_minor AS minor
    FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.customer_key > ?2 AND a.customer_key <= ?3 AND a.allocated_on > ?1 AND i.issued_on <= ?1
),
piece AS (
    SELECT customer_key, currency, due_on, issued_on, open_minor AS minor
    FROM invoice
    WHERE
        customer_key > ?2 AND customer_key <= ?3 AND open_minor > 0 AND issued_on <= ?1 AND kind <> 'credit-note'
    UNION ALL
    SELECT * FROM later
)
SELECT json_group_array(json_array(id, currency, basis_on, minor))
FROM (
    SELECT c.id, p.currency, CASE WHEN ?4 THEN p.due_on ELSE p.issued_on END AS basis_on, sum(p.minor) AS minor
    FROM piece AS p CROSS JOIN customer AS c ON c.key = p.customer_key
    GROUP BY p.customer_key, p.currency, basis_on
    HAVING sum(p.minor) <> 0
    ORDER BY p.customer_key, p.currency, basis_on
)
