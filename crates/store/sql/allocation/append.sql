-- ?1: keys of customers out of allocation/plain.sql, ?2: the last payment before the new ones, ?3: the moment, ?4: the
-- audit entry. Sets what the new payments name against it, in the order in which a replay records it.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at, entry_key)
SELECT customer_key, invoice_key, payment_key, received_on, sum(minor), ?3, ?4
FROM (
    SELECT
        p.customer_key, p.currency, p.key AS payment_key, p.received_on,
        coalesce(p.invoice_key, d.value ->> 0) AS invoice_key,
        iif(p.invoice_key IS NULL, d.value ->> 1, p.amount_minor) AS minor
    FROM json_each(?1) AS j
    CROSS JOIN payment AS p ON p.customer_key = j.value AND p.key > ?2
    LEFT JOIN json_each(p.designation) AS d
)
GROUP BY customer_key, currency, payment_key, invoice_key
ORDER BY customer_key, currency, payment_key, invoice_key
