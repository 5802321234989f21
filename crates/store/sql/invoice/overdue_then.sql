-- As invoice/overdue_page.sql, for a day after which something was allocated: what was open then is what is open now
-- and what was allocated since.
WITH
piece AS (
    SELECT key, due_on, open_minor AS minor FROM invoice
    WHERE open_minor > 0 AND due_on < ?4 AND kind <> 'credit-note'
    UNION ALL
    SELECT i.key, i.due_on, a.amount_minor FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.allocated_on > ?4 AND i.due_on < ?4
),
page AS (
    SELECT due_on, key, sum(minor) AS open_minor FROM piece
    WHERE (due_on, key) > (?1, ?2)
    GROUP BY due_on, key
    HAVING sum(minor) > 0
    ORDER BY due_on, key
    LIMIT ?3
)
SELECT json_group_array(json_array(due_on, key, id, customer_id, name, open_minor, currency, disputed, customer_key))
FROM (
    SELECT page.due_on, page.key, i.id, c.id AS customer_id, c.name, page.open_minor, i.currency, i.disputed, i.customer_key
    FROM page
    CROSS JOIN invoice AS i ON i.key = page.key
    CROSS JOIN customer AS c ON c.key = i.customer_key
    ORDER BY page.due_on, page.key
)
