-- ?1: [customer_key, rule, currency, behind_rule, behind_currency], ?2: the business date. What stood behind
-- another one stays closed by that.
UPDATE alert
SET closed_on = coalesce(closed_on, ?2), closed_by = 'sweep', behind_rule = j.behind_rule, behind_currency = j.behind_currency
FROM (
    SELECT
        value ->> 0 AS customer_key, value ->> 1 AS rule, value ->> 2 AS currency, value ->> 3 AS behind_rule,
        value ->> 4 AS behind_currency
    FROM json_each(?1)
) AS j
WHERE
    alert.customer_key = j.customer_key AND alert.rule = j.rule AND alert.currency = j.currency
    AND alert.ended_on IS NULL
