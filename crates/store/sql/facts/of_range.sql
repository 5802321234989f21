-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: three months before it.
-- Gives, for each customer and currency with anything due in the twelve months,
-- [customer_key, currency, invoices, weight, weighted days, the same two for the last three months,
--  the same two for the nine months before, weight that was late, worst days late].
-- A weight is an amount that was paid, or that is overdue on the day. `total` is a float on purpose: two absurd
-- amounts must not stop the sweep of all others, and below 2^53 it is exact.
WITH
-- What was set against each invoice by each day, net of what was taken back; in the order of the index.
paid AS (
    SELECT invoice_key, allocated_on, sum(amount_minor) AS minor
    FROM allocation
    WHERE customer_key > ?1 AND customer_key <= ?2
    GROUP BY customer_key, invoice_key, allocated_on
    HAVING minor <> 0
),
part AS (
    -- What was allocated by the day was paid then; what was allocated later is overdue on it.
    SELECT
        i.customer_key, i.currency, i.key, i.due_on, paid.minor,
        CAST(julianday(min(paid.allocated_on, ?3)) - julianday(i.due_on) AS INTEGER) AS days
    FROM paid
    CROSS JOIN invoice AS i ON i.key = paid.invoice_key
    WHERE
        i.due_on > ?4 AND i.due_on <= ?3 AND i.issued_on <= ?3 AND (paid.allocated_on <= ?3 OR i.due_on < ?3)
    UNION ALL
    -- What is still open is overdue too.
    SELECT customer_key, currency, key, due_on, open_minor, CAST(julianday(?3) - julianday(due_on) AS INTEGER)
    FROM invoice
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND kind <> 'credit-note'
        AND due_on > ?4 AND due_on < ?3 AND issued_on <= ?3 AND open_minor > 0
)
SELECT
    json_group_array(
        json_array(
            customer_key, currency, invoices, weight, weighted, recent, recent_weighted, before, before_weighted,
            late, worst
        )
    )
FROM (
    SELECT
        customer_key,
        currency,
        count(DISTINCT key) AS invoices,
        total(minor) AS weight,
        total(minor * 1.0 * days) AS weighted,
        total(CASE WHEN due_on > ?5 THEN minor ELSE 0 END) AS recent,
        total(CASE WHEN due_on > ?5 THEN minor * 1.0 * days ELSE 0 END) AS recent_weighted,
        total(CASE WHEN due_on > ?5 THEN 0 ELSE minor END) AS before,
        total(CASE WHEN due_on > ?5 THEN 0 ELSE minor * 1.0 * days END) AS before_weighted,
        total(CASE WHEN days > 0 THEN minor ELSE 0 END) AS late,
        max(max(days), 0) AS worst
    FROM part
    GROUP BY customer_key, currency
)
