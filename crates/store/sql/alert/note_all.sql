-- ?1: [customer_key, rule, currency, evidence].
UPDATE alert
SET evidence = j.evidence
FROM (
    SELECT value ->> 0 AS customer_key, value ->> 1 AS rule, value ->> 2 AS currency, value ->> 3 AS evidence
    FROM json_each(?1)
) AS j
WHERE
    alert.customer_key = j.customer_key AND alert.rule = j.rule AND alert.currency = j.currency
    AND alert.ended_on IS NULL
