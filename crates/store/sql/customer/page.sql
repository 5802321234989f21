-- ?1: after this id, ?2: at most so many, ?3: only this id when given.
SELECT
    json_group_array(
        json_array(id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, key)
    )
FROM (
    SELECT * FROM customer
    WHERE id > ?1 AND (?3 IS NULL OR id = ?3)
    ORDER BY id
    LIMIT ?2
)
