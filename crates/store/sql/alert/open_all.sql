-- ?1: [id, customer_key, rule, version, kind, currency, severity, owner, evidence], ?2: the business date.
-- The same alert of the same day opens again when it ended on it.
INSERT INTO alert
    (id, customer_key, rule, version, kind, currency, severity, owner, assigned, escalated, opened_on, evidence)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, 0, 0, ?2,
    value ->> 8
FROM json_each(?1)
WHERE true
ON CONFLICT (id) DO UPDATE SET closed_on = NULL, closed_by = NULL, closed_because = NULL, ended_on = NULL
