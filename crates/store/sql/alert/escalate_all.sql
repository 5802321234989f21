-- ?1: [customer_key, rule, currency, severity, owner].
UPDATE alert
SET severity = j.severity, owner = coalesce(j.owner, alert.owner), escalated = 1
FROM (
    SELECT
        value ->> 0 AS customer_key, value ->> 1 AS rule, value ->> 2 AS currency, value ->> 3 AS severity,
        value ->> 4 AS owner
    FROM json_each(?1)
) AS j
WHERE
    alert.customer_key = j.customer_key AND alert.rule = j.rule AND alert.currency = j.currency
    AND alert.ended_on IS NULL
