-- ?1: [key, id] of alerts that stood behind another one and were taken up, ?2: the moment.
INSERT INTO event (invoices_upto, payments_upto, allocations_upto, at, kind, customer_key, subject, data)
SELECT
    (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM payment),
    (SELECT coalesce(max(key), 0) FROM allocation), ?2, 'alert.opened', a.customer_key, a.id,
    json_object('state', a.kind, 'rule', a.rule, 'severity', a.severity)
FROM json_each(?1) AS j
CROSS JOIN alert AS a ON a.id = j.value ->> 1
