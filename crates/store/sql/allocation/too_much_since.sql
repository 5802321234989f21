-- ?1: the last invoice key before this flow, ?2: up to this amount a document matters nothing, ?3: the most that a
-- customer's documents of one currency may come to. Gives the currencies in which somebody with a larger new document
-- has more. Credit notes are looked at where they are replayed.
WITH
large AS (
    SELECT DISTINCT customer_key, currency FROM invoice NOT INDEXED
    WHERE key > ?1 AND amount_minor > ?2
)
SELECT json_group_array(currency)
FROM (
    SELECT large.currency
    FROM large CROSS JOIN invoice AS i ON i.customer_key = large.customer_key AND i.currency = large.currency
    WHERE i.kind <> 'credit-note'
    GROUP BY large.customer_key, large.currency
    HAVING total(i.amount_minor) > ?3
)
