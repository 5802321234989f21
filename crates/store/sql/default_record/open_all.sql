-- ?1: [id, customer_key, invoice_key, amount_minor, currency, reason], ?2: the day, ?3: the entry of the audit chain.
INSERT INTO default_record
    (id, customer_key, invoice_key, amount_minor, currency, found_on, kind, reason, by_rule, state, entry_key)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2, 'late-payment', value ->> 5, 1, 'open', ?3
FROM json_each(?1)
