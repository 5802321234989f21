-- ?1: rows as [row, id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, status,
-- segment, industry, parent_id, contacts, how one who is there is compared], where what follows limit_currency may be
-- left out; ?2: the entry of the audit chain. Rows with a parent are for customer/insert_members.sql.
-- A row whose id is there already is left alone; customer/differing.sql tells whether it says the same.
INSERT INTO customer
    (
        id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, status, segment,
        industry, contacts, entry_key
    )
SELECT
    value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
    value ->> 9, value ->> 10, coalesce(value ->> 11, 'active'), value ->> 12, value ->> 13, value ->> 15, ?2
FROM json_each(?1)
WHERE value ->> 14 IS NULL
ON CONFLICT (id) DO NOTHING
