-- ?1: rows as [customer_key, invoice_key, payment_key, credit_key, allocated_on, amount_minor], ?2: the moment.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, credit_key, allocated_on, amount_minor, recorded_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?2
FROM json_each(?1)
