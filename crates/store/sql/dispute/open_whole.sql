-- ?1: the last invoice key before this flow, ?2: the entry of the audit chain.
-- What was recorded as contested is contested as a whole, and an instalment as a part of that. An id that leaves no room
-- gives way to the key, in a length that no other has.
INSERT INTO dispute (id, customer_key, invoice_key, opened_on, minor, reason, entry_key, whole_key)
SELECT
    'whole/' || CASE WHEN length(id) < 58 THEN id ELSE printf('%058d', key) END,
    customer_key, key, issued_on, amount_minor, 'other', ?2,
    (SELECT d.key FROM dispute AS d WHERE d.invoice_key = i.parent_key AND d.id LIKE 'whole/%')
FROM invoice AS i NOT INDEXED
WHERE key > ?1 AND disputed = 1
ON CONFLICT (id) DO NOTHING
