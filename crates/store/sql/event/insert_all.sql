-- ?1: [kind, customer_key, subject, data], ?2: the moment.
INSERT INTO event (invoices_upto, payments_upto, allocations_upto, at, kind, customer_key, subject, data)
SELECT
    (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM payment),
    (SELECT coalesce(max(key), 0) FROM allocation), ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3
FROM json_each(?1)
