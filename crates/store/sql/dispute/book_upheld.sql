-- ?1: id of a dispute that was decided, ?2: the audit entry.
-- What was upheld is taken off the document, or its instalments.
INSERT INTO adjustment (id, customer_key, invoice_key, booked_on, minor, difference, entry_key)
SELECT 'dispute/' || id, customer_key, invoice_key, resolved_on, upheld_minor, 'dispute-upheld', ?2
FROM dispute
WHERE id = ?1 AND upheld_minor > 0
ON CONFLICT (id) DO UPDATE
SET booked_on = excluded.booked_on, minor = excluded.minor, entry_key = excluded.entry_key, until_on = NULL
