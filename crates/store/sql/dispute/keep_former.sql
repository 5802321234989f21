-- ?1: id of a dispute, ?2: the audit entry that decides it anew.
-- What was decided of it so far, if anything was, and what was recorded of its parts.
INSERT INTO dispute_former
    (dispute_key, outcome, resolved_on, upheld_minor, resolution, minor, entry_key, until_entry_key)
SELECT key, outcome, resolved_on, upheld_minor, resolution, minor, coalesce(resolved_entry_key, 0), ?2
FROM dispute
WHERE
    id = ?1 AND (outcome IS NOT NULL OR resolved_entry_key IS NOT NULL)
    OR whole_key = (SELECT w.key FROM dispute AS w WHERE w.id = ?1)
