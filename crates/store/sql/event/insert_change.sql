-- ?1: the audit entry, ?2: whether customers may be made without an entry of their own.
INSERT INTO event (entry_key, invoices_upto, payments_upto, allocations_upto, customers_after)
VALUES (
    ?1, (SELECT coalesce(max(key), 0) FROM invoice), (SELECT coalesce(max(key), 0) FROM payment),
    (SELECT coalesce(max(key), 0) FROM allocation),
    CASE WHEN ?2 <> 0 THEN (SELECT coalesce(max(key), 0) FROM customer) END
)
