-- ?1: id of a hold, ?2: now, ?3: the entry of what changes it.
INSERT INTO credit_hold_former
    (hold_key, minor, currency, purpose, terms_days, verdict, rules, changed_at, entry_key)
SELECT key, minor, currency, purpose, terms_days, verdict, rules, ?2, ?3 FROM credit_hold WHERE id = ?1
