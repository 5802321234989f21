-- ?1: parts of payments as [customer_key, invoice_key, payment_key, allocated_on, amount_minor], ?2: the moment, ?3: the
-- audit entry. Without the limit a part would be written anew for each of its columns.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at, entry_key)
SELECT part ->> 0, part ->> 1, part ->> 2, part ->> 3, part ->> 4, ?2, ?3
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1)
