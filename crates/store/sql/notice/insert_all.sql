-- ?1: [id, customer_key, currency, level, language, subject, body, total_minor, because], ?2: the business date,
-- ?3: the moment.
INSERT INTO notice
    (id, customer_key, currency, level, day, language, subject, body, total_minor, because, state, attempts,
     next_attempt_at, created_at)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, 'queued', 0, ?3, ?3
FROM json_each(?1)
WHERE true
ON CONFLICT DO NOTHING
