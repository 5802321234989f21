-- ?1: rows as [id, account, statement_id, sequence, format, from_on, to_on, currency, opening_minor, closing_minor,
-- entries, pending, digest, first_on, own_account]; ?2: the audit entry.
INSERT INTO bank_statement
    (id, account, statement_id, sequence, format, from_on, to_on, currency, opening_minor, closing_minor, entries,
     pending, digest, first_on, own_account, entry_key)
SELECT
    j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6,
    j.value ->> 7, j.value ->> 8, j.value ->> 9, j.value ->> 10, j.value ->> 11, j.value ->> 12, j.value ->> 13, j.value ->> 14, ?2
FROM json_each(?1) AS j
