-- ?1: [customer_key, kind, currency], ?2: the business date.
UPDATE alert
SET state = 'closed', closed_on = ?2
FROM (SELECT value ->> 0 AS customer_key, value ->> 1 AS kind, value ->> 2 AS currency FROM json_each(?1)) AS j
WHERE
    alert.customer_key = j.customer_key AND alert.kind = j.kind AND alert.currency = j.currency
    AND alert.state = 'open'
