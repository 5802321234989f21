-- ?1: [customer_key, rule, currency].
DELETE FROM alert_waiting
WHERE (customer_key, rule, currency) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1))
