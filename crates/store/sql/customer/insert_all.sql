-- ?1: rows as [row, id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency].
-- A row whose id is there already is left alone; customer/differing.sql tells whether it says the same.
INSERT INTO customer
    (id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency)
SELECT
    value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
    value ->> 9, value ->> 10
FROM json_each(?1)
WHERE true
ON CONFLICT (id) DO NOTHING
