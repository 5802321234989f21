-- ?1, ?2: after this due date and key, ?3: at most so many, ?4: the day of the balance, ?5: only this customer.
-- Gives [key, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor].
WITH
page AS (
    SELECT i.*, c.id AS customer_id
    FROM customer AS c
    CROSS JOIN invoice AS i ON i.customer_key = c.key
    WHERE c.id = ?5 AND (i.due_on, i.key) > (?1, ?2)
    ORDER BY i.due_on, i.key
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            key, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed,
            open_minor + coalesce(
                (SELECT sum(a.amount_minor) FROM allocation AS a WHERE a.invoice_key = p.key AND a.allocated_on > ?4), 0
            ) + CASE WHEN kind = 'credit-note' THEN coalesce(
                (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE a.customer_key = p.customer_key AND a.credit_key = p.key AND a.allocated_on > ?4
                ), 0
            ) ELSE 0 END
        )
    )
FROM page AS p
