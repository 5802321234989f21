-- ?1: parts of payments as texts of ten letters each for customer_key, invoice_key, payment_key and allocated_on, and the
-- amount behind them; ?2: the moment, ?3: the audit entry. A text is cut in half the time that an array is read in.
-- Without the limit a part would be written anew for each of its columns.
INSERT INTO allocation
    (customer_key, invoice_key, payment_key, allocated_on, amount_minor, recorded_at, entry_key)
SELECT
    substr(part, 1, 10) + 0, substr(part, 11, 10) + 0, substr(part, 21, 10) + 0, substr(part, 31, 10),
    substr(part, 41) + 0, ?2, ?3
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1)
