-- ?1: rows as [id, statement_key, number, booked_on, value_on, minor, reversal, references, end_to_end, bank_reference,
-- remittance, payer_name, payer_account, state, candidates, customer_key]; ?2: the rule; ?3: the audit entry.
-- What is booked for a customer has a payment of the id of the entry after bank-. The limit as in invoice/insert_all.sql.
INSERT INTO bank_entry
    (id, statement_key, number, booked_on, value_on, minor, reversal, reference, end_to_end, bank_reference,
     remittance, payer_name, payer_account, state, rule, candidates, customer_key, payment_key, entry_key)
SELECT
    j.part ->> 0, j.part ->> 1, j.part ->> 2, j.part ->> 3, j.part ->> 4, j.part ->> 5, j.part ->> 6, j.part ->> 7,
    j.part ->> 8, j.part ->> 9, j.part ->> 10, j.part ->> 11, j.part ->> 12, j.part ->> 13, ?2, j.part ->> 14,
    j.part ->> 15, p.key, ?3
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1) AS j
LEFT JOIN payment AS p ON j.part ->> 15 IS NOT NULL AND p.id = 'bank-' || (j.part ->> 0)
