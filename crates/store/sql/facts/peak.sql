-- ?1: the customers with a limit on the day, ?2: the day, ?3: the first day of the twelve months. Gives
-- [customer_key, day, currency, minor] in their order: of who owes in one currency alone the most that was owed at the
-- end of a day of the twelve months; of the others what was owed more, or less, at the end of each such day on which that
-- changed.
WITH
claim AS MATERIALIZED (
    SELECT i.customer_key, i.key, i.currency, i.issued_on, i.amount_minor
    FROM json_each(?1) AS l
    CROSS JOIN invoice AS i ON i.customer_key = l.value
    WHERE +i.issued_on <= ?2 AND i.kind <> 'credit-note'
),
mixed AS MATERIALIZED (
    SELECT l.value AS customer_key
    FROM json_each(?1) AS l
    WHERE
        (SELECT min(i.currency) FROM invoice AS i WHERE i.customer_key = l.value)
        <> (SELECT max(i.currency) FROM invoice AS i WHERE i.customer_key = l.value)
),
-- What was owed before the twelve months counts from their first day, in one sum.
event AS (
    SELECT customer_key, currency, ?3 AS day, sum(amount_minor) AS minor
    FROM claim
    WHERE issued_on <= ?3
    GROUP BY customer_key, currency
    UNION ALL
    SELECT customer_key, currency, issued_on, amount_minor FROM claim WHERE issued_on > ?3
    UNION ALL
    SELECT o.customer_key, o.currency, max(a.allocated_on, ?3), -a.amount_minor
    FROM claim AS o
    CROSS JOIN allocation AS a ON a.customer_key = o.customer_key AND a.invoice_key = o.key
    WHERE a.allocated_on <= ?2
),
-- At each event what is owed when its day is over.
level AS (
    SELECT customer_key, currency, sum(minor) OVER (PARTITION BY customer_key ORDER BY day) AS minor
    FROM event
    WHERE customer_key NOT IN (SELECT customer_key FROM mixed)
)
SELECT json_group_array(json_array(customer_key, day, currency, minor))
FROM (
    SELECT customer_key, ?2 AS day, currency, max(minor) AS minor FROM level GROUP BY customer_key
    UNION ALL
    SELECT customer_key, day, currency, sum(minor)
    FROM event
    WHERE customer_key IN (SELECT customer_key FROM mixed)
    GROUP BY customer_key, day, currency
    ORDER BY customer_key, day
)
