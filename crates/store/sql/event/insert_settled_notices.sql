-- ?1: [notice_key, kind], ?2: the moment.
INSERT INTO event (invoices_upto, payments_upto, allocations_upto, at, kind, customer_key, subject, data)
SELECT
    (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM payment),
    (SELECT coalesce(max(key), 0) FROM allocation), ?2, j.value ->> 1, n.customer_key, n.id,
    json_object('state', n.level)
FROM json_each(?1) AS j
CROSS JOIN notice AS n ON n.key = j.value ->> 0
