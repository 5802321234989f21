-- ?1: rows as [row, id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, status,
-- segment, industry], where what follows limit_currency may be left out. ?2: the entry of the audit chain.
-- A row whose id is there already is left alone; customer/differing.sql tells whether it says the same.
INSERT INTO customer
    (id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, status, segment, industry,
     entry_key)
SELECT
    value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
    value ->> 9, value ->> 10, coalesce(value ->> 11, 'active'), value ->> 12, value ->> 13, ?2
FROM json_each(?1)
WHERE true
ON CONFLICT (id) DO NOTHING
