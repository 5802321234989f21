-- ?1: rows as [id, customer_key, payment_key, reversed_on, kind, minor, reason]; ?2: the audit entry.
INSERT INTO reversal (id, customer_key, payment_key, reversed_on, kind, minor, reason, entry_key)
SELECT
    j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6, ?2
FROM json_each(?1) AS j
