-- ?1: rows as [id, statement_key, number, booked_on, value_on, minor, reversal, references, end_to_end, bank_reference,
-- remittance, payer_name, payer_account, state, candidates, customer_key]; ?2: the rule; ?3: the audit entry.
-- What is booked for a customer has a payment of the entry's id after `bank-`.
INSERT INTO bank_entry
    (id, statement_key, number, booked_on, value_on, minor, reversal, reference, end_to_end, bank_reference,
     remittance, payer_name, payer_account, state, rule, candidates, customer_key, payment_key, entry_key)
SELECT
    j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6,
    j.value ->> 7, j.value ->> 8, j.value ->> 9, j.value ->> 10, j.value ->> 11, j.value ->> 12, j.value ->> 13, ?2,
    j.value ->> 14, j.value ->> 15, p.key, ?3
FROM json_each(?1) AS j
LEFT JOIN payment AS p ON j.value ->> 15 IS NOT NULL AND p.id = 'bank-' || (j.value ->> 0)
