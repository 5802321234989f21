-- ?1: alert, ?2: closed on, ?3: closed by, ?4: closed because, ?5: snoozed until, ?6: owner. What is null stays.
UPDATE alert
SET
    closed_on = coalesce(?2, closed_on),
    closed_by = coalesce(?3, closed_by),
    closed_because = coalesce(?4, closed_because),
    snoozed_until = coalesce(?5, snoozed_until),
    owner = coalesce(?6, owner),
    assigned = CASE WHEN ?6 IS NULL THEN assigned ELSE 1 END
WHERE key = ?1
