-- ?1: rows as [customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference,
-- allocated_on, amount_minor], ?2: the moment, ?3: the audit entry.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on,
     amount_minor, recorded_at, entry_key)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
    ?2, ?3
FROM json_each(?1)
