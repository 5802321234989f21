-- ?1: keys of customers out of allocation/plain.sql, ?2: the last payment before the new ones, ?3: the moment, ?4: the
-- audit entry. Sets what the new payments name against it, in the order in which a replay records it. Most name one
-- document, which has all of them: only the others are summed up.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at, entry_key)
SELECT customer_key, invoice_key, payment_key, received_on, minor, ?3, ?4
FROM (
    SELECT
        p.customer_key, p.currency, p.key AS payment_key, p.received_on,
        coalesce(p.invoice_key, p.designation ->> '$[0][0]') AS invoice_key, p.amount_minor AS minor
    FROM json_each(?1) AS j
    CROSS JOIN payment AS p ON p.customer_key = j.value AND p.key > ?2
    WHERE ifnull(instr(p.designation, '],['), 0) = 0
    UNION ALL
    SELECT p.customer_key, p.currency, p.key, p.received_on, d.value ->> 0, sum(d.value ->> 1)
    FROM json_each(?1) AS j
    CROSS JOIN payment AS p ON p.customer_key = j.value AND p.key > ?2
    CROSS JOIN json_each(p.designation) AS d
    WHERE instr(p.designation, '],[') > 0
    GROUP BY p.key, d.value ->> 0
)
ORDER BY customer_key, currency, payment_key, invoice_key
