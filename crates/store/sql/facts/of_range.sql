-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: three months before it.
-- Gives, for each customer and currency with anything due in the twelve months,
-- [customer_key, currency, invoices, weight, weighted days, the same two for the last three months,
--  the same two for the nine months before, weight that was late, worst days late].
-- A weight is an amount that was paid, or that is overdue on the day. `total` is a float on purpose: two absurd
-- amounts must not stop the sweep of all others, and below 2^53 it is exact.
WITH
item AS (
    SELECT customer_key, currency, key, due_on, open_minor
    FROM invoice
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND kind <> 'credit-note'
        AND due_on > ?4 AND due_on <= ?3 AND issued_on <= ?3 AND amount_minor > 0
),
-- What was set against each item by each day, net of what was taken back.
paid AS (
    SELECT invoice_key, allocated_on, sum(amount_minor) AS minor
    FROM allocation
    WHERE customer_key > ?1 AND customer_key <= ?2
    GROUP BY invoice_key, allocated_on
    HAVING minor <> 0
),
part AS (
    SELECT
        item.customer_key, item.currency, item.key, item.due_on, paid.minor,
        CAST(julianday(paid.allocated_on) - julianday(item.due_on) AS INTEGER) AS days
    FROM paid
    CROSS JOIN item ON item.key = paid.invoice_key
    WHERE paid.allocated_on <= ?3
    UNION ALL
    -- What is open today, or was allocated after the day, is overdue on it.
    SELECT customer_key, currency, key, due_on, open_minor, CAST(julianday(?3) - julianday(due_on) AS INTEGER)
    FROM item
    WHERE open_minor > 0 AND due_on < ?3
    UNION ALL
    SELECT
        item.customer_key, item.currency, item.key, item.due_on, paid.minor,
        CAST(julianday(?3) - julianday(item.due_on) AS INTEGER)
    FROM paid
    CROSS JOIN item ON item.key = paid.invoice_key
    WHERE paid.allocated_on > ?3 AND item.due_on < ?3
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
