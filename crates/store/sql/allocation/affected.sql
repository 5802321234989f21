-- ?1: the last invoice key before this flow, ?2: the last payment key before it.
-- Gives the keys of the customers whose allocations the new documents may change: whoever has a new payment, and whoever
-- has a new document beside a payment or credit note of any age, which a new credit note is itself.
-- NOT INDEXED leaves the key itself: the new rows are few, and an index by customer would be read to its end for them.
WITH
paid AS (
    SELECT DISTINCT customer_key FROM payment NOT INDEXED WHERE key > ?2
),
claimed AS MATERIALIZED (
    SELECT DISTINCT customer_key FROM invoice NOT INDEXED WHERE key > ?1
)
-- Only who has anything to allocate: most customers of a first import have nothing yet.
SELECT json_group_array(customer_key)
FROM (
    SELECT customer_key FROM paid
    UNION
    SELECT customer_key FROM claimed
    WHERE
        EXISTS (SELECT 1 FROM payment AS p WHERE p.customer_key = claimed.customer_key)
        OR EXISTS (
            SELECT 1 FROM invoice AS i WHERE i.customer_key = claimed.customer_key AND i.kind = 'credit-note'
        )
    ORDER BY customer_key
)
