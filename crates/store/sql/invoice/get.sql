-- ?1: the id, ?2: the day of the balance. Shape as in invoice/page.sql.
SELECT
    json_group_array(
        json_array(
            i.key, i.id, c.id, i.kind, i.issued_on, i.due_on, i.amount_minor, i.currency, i.disputed,
            i.open_minor + coalesce(
                (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE a.customer_key = i.customer_key AND a.invoice_key = i.key AND a.allocated_on > ?2
                ), 0
            ) + CASE WHEN i.kind = 'credit-note' THEN coalesce(
                (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE a.customer_key = i.customer_key AND a.credit_key = i.key AND a.allocated_on > ?2
                ), 0
            ) ELSE 0 END
        )
    )
FROM invoice AS i
CROSS JOIN customer AS c ON c.key = i.customer_key
WHERE i.id = ?1 AND i.issued_on <= ?2
