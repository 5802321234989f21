-- ?1: [customer_key, rule, currency, since_on].
INSERT INTO alert_waiting (customer_key, rule, currency, since_on)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3
FROM json_each(?1)
WHERE true
ON CONFLICT DO NOTHING
