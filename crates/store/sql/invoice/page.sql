-- ?1, ?2: after this due date and key, ?3: at most so many, ?4: the day of the balance, ?5: only this customer.
-- Gives [key, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor].
WITH
page AS (
    SELECT i.*, c.id AS customer_id
    FROM customer AS c
    CROSS JOIN invoice AS i ON i.customer_key = c.key
    WHERE c.id = ?5 AND (i.due_on, i.key) > (?1, ?2) AND i.issued_on <= ?4
    ORDER BY i.due_on, i.key
    LIMIT ?3
),
-- What was allocated after the day was still open on it, on both sides.
later AS (
    SELECT a.invoice_key, a.credit_key, a.amount_minor
    FROM customer AS c
    CROSS JOIN allocation AS a ON a.customer_key = c.key
    WHERE c.id = ?5 AND a.allocated_on > ?4
),
reopened AS (
    SELECT key, sum(minor) AS minor
    FROM (
        SELECT invoice_key AS key, amount_minor AS minor FROM later
        UNION ALL
        SELECT credit_key, amount_minor FROM later WHERE credit_key IS NOT NULL
    )
    GROUP BY key
)
SELECT
    json_group_array(
        json_array(
            p.key, p.id, p.customer_id, p.kind, p.issued_on, p.due_on, p.amount_minor, p.currency, p.disputed,
            p.open_minor + coalesce(r.minor, 0)
        )
    )
FROM page AS p
LEFT JOIN reopened AS r ON r.key = p.key
