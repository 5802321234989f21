-- Gives [broken, ids] for customers of whom ageing counts another sum, in any currency, than what was claimed less what
-- was set against it. Where a customer owes in one currency, as most do, its allocations need no document to be sorted.
WITH
claimed AS (
    SELECT customer_key, currency, sum(amount_minor) AS minor, sum(open_minor) AS aged
    FROM invoice INDEXED BY invoice_by_customer
    WHERE kind <> 'credit-note'
    GROUP BY customer_key, currency
),
counted AS (SELECT *, count(*) OVER (PARTITION BY customer_key) AS currencies FROM claimed),
wrong AS (
    SELECT DISTINCT w.customer_key
    FROM counted AS w
    WHERE
        w.minor - w.aged <> CASE
            WHEN w.currencies = 1
                THEN (
                    SELECT coalesce(sum(a.amount_minor), 0) FROM allocation AS a
                    WHERE a.customer_key = w.customer_key AND a.invoice_key IS NOT NULL
                )
            ELSE (
                SELECT coalesce(sum(a.amount_minor), 0)
                FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
                WHERE a.customer_key = w.customer_key AND i.currency = w.currency
            )
        END
),
broken AS (
    SELECT c.id, row_number() OVER (ORDER BY c.id) AS place
    FROM wrong AS w CROSS JOIN customer AS c ON c.key = w.customer_key
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
