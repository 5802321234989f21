-- ?1: rows as [key, state, customer_key, payment_key, candidates]; ?2: the audit entry. What is null stays as it was.
UPDATE bank_entry
SET
    state = j.value ->> 1, customer_key = coalesce(j.value ->> 2, customer_key),
    payment_key = coalesce(j.value ->> 3, payment_key), candidates = coalesce(j.value ->> 4, candidates),
    decided_entry_key = ?2
FROM json_each(?1) AS j
WHERE bank_entry.key = j.value ->> 0
