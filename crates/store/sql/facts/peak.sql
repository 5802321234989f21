-- ?1: [customer_key, currency] of who has a limit on the day, in which currency, ?2: the day, ?3: the first day of the
-- twelve months. Gives [customer_key, minor]: the most that each of them owed, in the limit's currency, at the end of a
-- day of the twelve months.
WITH
claim AS MATERIALIZED (
    SELECT i.customer_key, i.key, i.issued_on, i.amount_minor
    FROM json_each(?1) AS l
    CROSS JOIN invoice AS i ON i.customer_key = l.value ->> 0 AND i.currency = l.value ->> 1
    WHERE +i.issued_on <= ?2 AND i.kind <> 'credit-note'
),
-- What was owed before the twelve months counts from their first day, in one sum.
event AS (
    SELECT customer_key, ?3 AS day, sum(amount_minor) AS minor FROM claim WHERE issued_on <= ?3 GROUP BY customer_key
    UNION ALL
    SELECT customer_key, issued_on, amount_minor FROM claim WHERE issued_on > ?3
    UNION ALL
    SELECT o.customer_key, max(a.allocated_on, ?3), -a.amount_minor
    FROM claim AS o
    CROSS JOIN allocation AS a ON a.customer_key = o.customer_key AND a.invoice_key = o.key
    WHERE a.allocated_on <= ?2
),
-- At each event what is owed when its day is over.
level AS (
    SELECT customer_key, sum(minor) OVER (PARTITION BY customer_key ORDER BY day) AS minor FROM event
)
SELECT json_group_array(json_array(customer_key, minor))
FROM (SELECT customer_key, max(minor) AS minor FROM level GROUP BY customer_key)
