-- ?1: the customer that goes, ?2: the one that stays, ?3: the audit entry.
-- Of what merge_defaults.sql withdraws, that it had been opened again is kept.
INSERT INTO default_former (default_key, state, closed_on, cured_by_key, entry_key, until_entry_key)
SELECT key, state, closed_on, cured_by_key, closed_entry_key, ?3
FROM default_record
WHERE
    customer_key = ?1 AND state = 'open' AND by_rule = 1 AND closed_entry_key IS NOT NULL
    AND EXISTS (
        SELECT 1 FROM default_record AS kept
        WHERE kept.customer_key = ?2 AND kept.state = 'open' AND kept.by_rule = 1 AND kept.currency = default_record.currency
    )
