-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: the first day of the twelve months.
-- Gives [customer_key, minor]: the most that each customer with a limit owed, in the limit's currency, at the end of a
-- day of the twelve months.
WITH
-- What was there before the twelve months counts from their first day.
event AS (
    SELECT c.key AS customer_key, max(i.issued_on, ?4) AS day, i.amount_minor AS minor
    FROM customer AS c
    CROSS JOIN invoice AS i ON i.customer_key = c.key AND i.currency = c.limit_currency
    WHERE c.key > ?1 AND c.key <= ?2 AND +i.issued_on <= ?3 AND i.kind <> 'credit-note'
    UNION ALL
    SELECT c.key, max(a.allocated_on, ?4), -a.amount_minor
    FROM customer AS c
    CROSS JOIN allocation AS a ON a.customer_key = c.key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key AND i.currency = c.limit_currency
    WHERE c.key > ?1 AND c.key <= ?2 AND c.limit_currency IS NOT NULL AND a.allocated_on <= ?3
),
daily AS (
    SELECT customer_key, day, sum(minor) AS minor FROM event GROUP BY customer_key, day
),
level AS (
    SELECT customer_key, sum(minor) OVER (PARTITION BY customer_key ORDER BY day) AS minor FROM daily
)
SELECT json_group_array(json_array(customer_key, minor))
FROM (SELECT customer_key, max(minor) AS minor FROM level GROUP BY customer_key)
