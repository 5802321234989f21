-- ?1, ?2: after this day and key, ?3: at most so many, ?4: the day of the balance, ?5: only this customer,
-- ?6: only this payment. One of ?5 and ?6 is given.
-- Gives [key, id, customer_id, received_on, amount_minor, currency, invoice_id, unallocated_minor].
WITH
page AS (
    SELECT * FROM (
        SELECT p.* FROM customer AS c CROSS JOIN payment AS p ON p.customer_key = c.key WHERE c.id = ?5
        UNION ALL
        SELECT p.* FROM payment AS p WHERE p.id = ?6
    )
    WHERE (received_on, key) > (?1, ?2)
    ORDER BY received_on, key
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            p.key, p.id, c.id, p.received_on, p.amount_minor, p.currency, i.id,
            p.unallocated_minor + coalesce(
                (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE a.customer_key = p.customer_key AND a.payment_key = p.key AND a.allocated_on > ?4
                ), 0
            )
        )
    )
FROM page AS p
CROSS JOIN customer AS c ON c.key = p.customer_key
LEFT JOIN invoice AS i ON i.key = p.invoice_key
