-- ?1: one row as in customer/insert_all.sql. Gives a row if anything changed.
UPDATE customer
SET
    name = ?1 ->> 2, country = ?1 ->> 3, currency = ?1 ->> 4, language = ?1 ->> 5, time_zone = ?1 ->> 6,
    email = ?1 ->> 7, phone = ?1 ->> 8, limit_minor = ?1 ->> 9, limit_currency = ?1 ->> 10
WHERE
    id = ?1 ->> 1
    AND (
        name IS NOT ?1 ->> 2 OR country IS NOT ?1 ->> 3 OR currency IS NOT ?1 ->> 4 OR language IS NOT ?1 ->> 5
        OR time_zone IS NOT ?1 ->> 6 OR email IS NOT ?1 ->> 7 OR phone IS NOT ?1 ->> 8
        OR limit_minor IS NOT ?1 ->> 9 OR limit_currency IS NOT ?1 ->> 10
    )
RETURNING key
