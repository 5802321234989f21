-- ?1: [customer_key, rule, currency, severity, owner], ?2: the business date, ?3: the moment.
INSERT INTO alert_action (alert_key, day, at, who, action, severity, owner)
SELECT a.key, ?2, ?3, 'sweep', 'escalate', j.value ->> 3, j.value ->> 4
FROM json_each(?1) AS j
CROSS JOIN alert AS a
    ON a.customer_key = j.value ->> 0 AND a.rule = j.value ->> 1 AND a.currency = j.value ->> 2 AND a.ended_on IS NULL
