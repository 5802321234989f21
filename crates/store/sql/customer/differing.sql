-- ?1: rows as in customer/insert_all.sql. Gives [row, field] for each row whose id is stored with other content.
-- What follows limit_currency is compared where a row says it: a file that has no such column is no other content.
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
            WHEN c.status <> j.value ->> 11 THEN 'status'
            WHEN j.value ->> 12 IS NOT NULL AND c.segment IS NOT j.value ->> 12 THEN 'segment'
            WHEN j.value ->> 13 IS NOT NULL AND c.industry IS NOT j.value ->> 13 THEN 'industry'
            WHEN j.value ->> 14 IS NOT NULL AND p.id IS NOT j.value ->> 14 THEN 'parent_id'
            WHEN j.value ->> 15 IS NOT NULL AND c.contacts IS NOT j.value ->> 15 THEN 'contacts'
        END AS field
    FROM json_each(?1) AS j
    JOIN customer AS c ON c.id = j.value ->> 1
    LEFT JOIN customer AS p ON p.key = c.parent_key
    WHERE j.value ->> 16 IS NULL
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
