-- ?1: parts as [[key of the dispute of the whole, key of the instalment, minor, upheld_minor]], ?2: the audit entry or null.
-- What was recorded of them so far, unless that is of the same entry.
INSERT INTO dispute_former
    (dispute_key, outcome, resolved_on, upheld_minor, resolution, minor, entry_key, until_entry_key)
SELECT
    p.key, p.outcome, p.resolved_on, p.upheld_minor, p.resolution, p.minor, coalesce(p.resolved_entry_key, 0), ?2
FROM json_each(?1) AS j
CROSS JOIN dispute AS p ON p.whole_key = j.value ->> 0 AND p.invoice_key = j.value ->> 1
WHERE ?2 > coalesce(p.resolved_entry_key, p.entry_key, 0)
