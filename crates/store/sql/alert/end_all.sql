-- ?1: [customer_key, rule, currency, ending], ?2: the business date. What somebody closed stays closed by that.
UPDATE alert
SET ended_on = ?2, ending = j.ending, closed_on = coalesce(closed_on, ?2), closed_by = coalesce(closed_by, 'sweep')
FROM (
    SELECT value ->> 0 AS customer_key, value ->> 1 AS rule, value ->> 2 AS currency, value ->> 3 AS ending
    FROM json_each(?1)
) AS j
WHERE
    alert.customer_key = j.customer_key AND alert.rule = j.rule AND alert.currency = j.currency
    AND alert.ended_on IS NULL
