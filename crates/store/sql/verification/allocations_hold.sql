-- Gives 1 if allocations join documents of one currency, and what is no payment's is what its source allows. Where a
-- customer has to do with one currency, as most do, nothing is looked up. The customers and days of documents and
-- payments are proved with these.
WITH
currencies AS (
    SELECT
        c.key,
        (SELECT min(currency) FROM invoice WHERE customer_key = c.key) AS first_claimed,
        (SELECT max(currency) FROM invoice WHERE customer_key = c.key) AS last_claimed,
        (SELECT min(currency) FROM payment WHERE customer_key = c.key) AS first_paid,
        (SELECT max(currency) FROM payment WHERE customer_key = c.key) AS last_paid
    FROM customer AS c
),
mixed AS MATERIALIZED (
    SELECT key FROM currencies
    WHERE first_claimed <> last_claimed OR first_paid <> last_paid OR first_claimed <> first_paid
),
-- Net of what was taken back.
net AS (
    SELECT
        customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, allocated_on,
        sum(amount_minor) AS minor
    FROM allocation NOT INDEXED
    WHERE payment_key IS NULL OR customer_key IN (SELECT key FROM mixed)
    GROUP BY customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, allocated_on
    HAVING minor <> 0
)
SELECT
    NOT EXISTS (
        SELECT 1
        FROM net AS a
        LEFT JOIN invoice AS i ON i.key = a.invoice_key
        LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
        LEFT JOIN invoice AS c ON c.key = a.credit_key
        LEFT JOIN adjustment AS d ON d.key = a.adjustment_key
        WHERE
            a.customer_key <> p.customer_key OR a.allocated_on < p.received_on
            OR (a.invoice_key <> d.invoice_key AND i.parent_key IS NOT d.invoice_key) OR a.allocated_on < d.booked_on
            OR i.currency <> p.currency OR i.currency <> c.currency
    )
