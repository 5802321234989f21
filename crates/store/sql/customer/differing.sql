-- ?1: rows as in customer/insert_all.sql. Gives [row, field] for each row whose id is stored with other content.
WITH
-- Each row beside what is stored under its id.
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN c.name IS NOT j.value ->> 2 THEN 'name'
            WHEN c.country IS NOT j.value ->> 3 THEN 'country'
            WHEN c.currency IS NOT j.value ->> 4 THEN 'currency'
            WHEN c.language IS NOT j.value ->> 5 THEN 'language'
            WHEN c.time_zone IS NOT j.value ->> 6 THEN 'time_zone'
            WHEN c.email IS NOT j.value ->> 7 THEN 'email'
            WHEN c.phone IS NOT j.value ->> 8 THEN 'phone'
            WHEN c.limit_minor IS NOT j.value ->> 9 THEN 'credit_limit'
            WHEN c.limit_currency IS NOT j.value ->> 10 THEN 'credit_limit'
        END AS field
    FROM json_each(?1) AS j
    JOIN customer AS c ON c.id = j.value ->> 1
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
