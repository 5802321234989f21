-- ?1: rows as [customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference,
-- allocated_on, amount_minor], ?2: the moment, ?3: the audit entry. The limit as in allocation/insert_money.sql.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on,
     amount_minor, recorded_at, entry_key)
SELECT
    part ->> 0, part ->> 1, part ->> 2, part ->> 3, part ->> 4, part ->> 5, part ->> 6, part ->> 7, part ->> 8, ?2, ?3
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1)
