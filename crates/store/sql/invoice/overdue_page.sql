-- ?1, ?2: after this due date and key, ?3: at most so many, ?4: the day.
-- Gives [due_on, key, id, customer_id, name, open, currency, disputed, customer_key], oldest due first.
-- Only right when nothing was allocated after the day; invoice/overdue_then.sql is for the others.
SELECT json_group_array(json_array(due_on, key, id, customer_id, name, open_minor, currency, disputed, customer_key))
FROM (
    SELECT i.due_on, i.key, i.id, c.id AS customer_id, c.name, i.open_minor, i.currency, i.disputed, i.customer_key
    FROM invoice AS i
    CROSS JOIN customer AS c ON c.key = i.customer_key
    WHERE
        i.open_minor > 0 AND i.due_on >= ?1 AND i.due_on < ?4 AND i.kind <> 'credit-note'
        AND (i.due_on, i.key) > (?1, ?2)
    ORDER BY i.due_on, i.key
    LIMIT ?3
)
