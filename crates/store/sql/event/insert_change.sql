-- ?1: audit entries as JSON, in their order, ?2: whether customers may be made without an entry of their own.
INSERT INTO event (entry_key, invoices_upto, payments_upto, allocations_upto, customers_after)
SELECT
    j.value, (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM payment),
    (SELECT coalesce(max(key), 0) FROM allocation),
    CASE WHEN ?2 <> 0 THEN (SELECT coalesce(max(key), 0) FROM customer) END
FROM json_each(?1) AS j
