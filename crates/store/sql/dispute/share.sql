-- ?1: parts as [[key of the dispute of the whole, key of the instalment, minor, upheld_minor]], ?2: the audit entry or null.
UPDATE dispute
SET
    minor = j.value ->> 2,
    upheld_minor = iif(
        (SELECT w.upheld_minor FROM dispute AS w WHERE w.key = dispute.whole_key) IS NULL, NULL, j.value ->> 3
    ),
    resolved_entry_key = iif(?2 > coalesce(resolved_entry_key, entry_key, 0), ?2, resolved_entry_key)
FROM json_each(?1) AS j
WHERE dispute.whole_key = j.value ->> 0 AND dispute.invoice_key = j.value ->> 1
