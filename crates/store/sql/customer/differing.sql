-- ?1: rows as in customer/insert_all.sql. Gives [row, field] for each row whose id is stored with other content.
-- Where the last value is 2 or 3, what a row leaves out is not compared. What follows limit_currency is compared where a row
-- says it: a file that has no such column is no other content.
WITH
-- Each row beside what is stored under its id.
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN c.name IS NOT j.value ->> 2 THEN 'name'
            WHEN c.country IS NOT coalesce(j.value ->> 3, iif(j.partial, c.country, NULL)) THEN 'country'
            WHEN c.currency IS NOT coalesce(j.value ->> 4, iif(j.partial, c.currency, NULL)) THEN 'currency'
            WHEN c.language IS NOT coalesce(j.value ->> 5, iif(j.partial, c.language, NULL)) THEN 'language'
            WHEN c.time_zone IS NOT coalesce(j.value ->> 6, iif(j.partial, c.time_zone, NULL)) THEN 'time_zone'
            WHEN c.email IS NOT coalesce(j.value ->> 7, iif(j.partial, c.email, NULL)) THEN 'email'
            WHEN c.phone IS NOT coalesce(j.value ->> 8, iif(j.partial, c.phone, NULL)) THEN 'phone'
            WHEN c.limit_minor IS NOT coalesce(j.value ->> 9, iif(j.partial, c.limit_minor, NULL)) THEN 'credit_limit'
            WHEN c.limit_currency IS NOT coalesce(j.value ->> 10, iif(j.partial, c.limit_currency, NULL)) THEN 'credit_limit'
            WHEN c.status <> j.value ->> 11 THEN 'status'
            WHEN j.value ->> 12 IS NOT NULL AND c.segment IS NOT j.value ->> 12 THEN 'segment'
            WHEN j.value ->> 13 IS NOT NULL AND c.industry IS NOT j.value ->> 13 THEN 'industry'
            WHEN j.value ->> 14 IS NOT NULL AND p.id IS NOT j.value ->> 14 THEN 'parent_id'
            WHEN j.value ->> 15 IS NOT NULL AND c.contacts IS NOT j.value ->> 15 THEN 'contacts'
        END AS field
    FROM (SELECT value, coalesce(value ->> 16 > 1, 0) AS partial FROM json_each(?1)) AS j
    JOIN customer AS c ON c.id = j.value ->> 1
    LEFT JOIN customer AS p ON p.key = c.parent_key
    WHERE j.value ->> 16 IS NOT 1
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
