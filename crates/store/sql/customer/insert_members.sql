-- ?1: rows as in customer/insert_all.sql; ?2: the entry of the audit chain. Adds those with a parent, which has to be there and to be in no group itself.
-- customer/misplaced.sql tells which are not.
INSERT INTO customer
    (
        id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, status, segment,
        industry, contacts, parent_key, entry_key
    )
SELECT
    j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7,
    j.value ->> 8, j.value ->> 9, j.value ->> 10, coalesce(j.value ->> 11, 'active'), j.value ->> 12, j.value ->> 13,
    j.value ->> 15, p.key, ?2
FROM json_each(?1) AS j
CROSS JOIN customer AS p ON p.id = j.value ->> 14
WHERE j.value ->> 14 IS NOT NULL AND p.parent_key IS NULL AND p.merged_key IS NULL
ON CONFLICT (id) DO NOTHING
