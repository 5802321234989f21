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
    WHERE (received_on, key) > (?1, ?2) AND received_on <= ?4
    ORDER BY received_on, key
    LIMIT ?3
),
-- What was allocated after the day was still unallocated on it.
later AS (
    SELECT a.payment_key, sum(a.amount_minor) AS minor
    FROM (SELECT DISTINCT customer_key FROM page) AS of
    CROSS JOIN allocation AS a ON a.customer_key = of.customer_key
    WHERE a.allocated_on > ?4 AND a.payment_key IS NOT NULL
    GROUP BY a.payment_key
)
SELECT
    json_group_array(
        json_array(
            page.key, page.id, c.id, page.received_on, page.amount_minor, page.currency, i.id,
            page.unallocated_minor + coalesce(l.minor, 0)
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
LEFT JOIN invoice AS i ON i.key = page.invoice_key
LEFT JOIN later AS l ON l.payment_key = page.key
