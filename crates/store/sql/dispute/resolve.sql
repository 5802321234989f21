-- ?1: id, ?2: outcome or null, ?3: the day or null, ?4: how much was upheld or null, ?5: in words or null, ?6: the audit entry.
-- Ends a dispute and its parts with it, or opens them again where the outcome is null. What was upheld of each part is not
-- found yet.
UPDATE dispute
SET
    outcome = ?2, resolved_on = ?3, resolution = ?5, resolved_entry_key = ?6,
    upheld_minor = iif(whole_key IS NULL OR ?4 IS NULL, ?4, 0)
WHERE id = ?1 OR whole_key = (SELECT w.key FROM dispute AS w WHERE w.id = ?1)
