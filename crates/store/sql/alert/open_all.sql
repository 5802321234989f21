-- ?1: [id, customer_key, kind, currency, evidence], ?2: the business date.
INSERT INTO alert (id, customer_key, kind, currency, state, opened_on, evidence)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 'open', ?2, value ->> 4
FROM json_each(?1)
WHERE true
ON CONFLICT DO NOTHING
