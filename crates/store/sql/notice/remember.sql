-- ?1: [invoice_key, level], ?2: the business date.
INSERT INTO reminded (invoice_key, level, day)
SELECT value ->> 0, value ->> 1, ?2
FROM json_each(?1)
WHERE true
ON CONFLICT (invoice_key) DO UPDATE SET level = excluded.level, day = excluded.day
