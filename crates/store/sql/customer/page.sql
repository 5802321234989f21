-- ?1: after this id, ?2: at most so many, ?3: only this id when given.
WITH
page AS (
    SELECT * FROM customer WHERE ?3 IS NULL AND id > ?1
    UNION ALL
    SELECT * FROM customer WHERE id = ?3
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, key)
    )
FROM page
