-- ?1: [customer_key, rule, currency, ending] of alerts that are about to be ended, ?2: the moment. What somebody closed was told
-- then.
INSERT INTO event (invoices_upto, payments_upto, allocations_upto, at, kind, customer_key, subject, data)
SELECT
    (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM payment),
    (SELECT coalesce(max(key), 0) FROM allocation), ?2, 'alert.closed', a.customer_key, a.id,
    json_object('state', a.kind, 'rule', a.rule, 'severity', a.severity)
FROM json_each(?1) AS j
CROSS JOIN alert AS a
    ON a.customer_key = j.value ->> 0 AND a.rule = j.value ->> 1 AND a.currency = j.value ->> 2 AND a.ended_on IS NULL
WHERE a.closed_on IS NULL
