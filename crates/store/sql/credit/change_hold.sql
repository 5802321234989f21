-- ?1: the contract's hold as JSON, ?2: what of the order was done, ?3: what was seen.
UPDATE credit_hold SET
    minor = ?1 ->> '$.amount.minor', currency = ?1 ->> '$.amount.currency', purpose = ?1 ->> 'purpose',
    terms_days = ?1 ->> 'terms_days', verdict = ?1 ->> 'verdict', rules = ?1 -> 'rules', base_minor = ?2, reasons = ?3
WHERE id = ?1 ->> 'id'
