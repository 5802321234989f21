-- ?1: the customer that goes, ?2: the one that stays, ?3: the audit entry.
-- Of what merge_defaults.sql withdraws, that it had been opened again is kept.
INSERT INTO default_former (default_key, state, closed_on, cured_by_key, entry_key, until_entry_key)
SELECT key, state, closed_on, cured_by_key, closed_entry_key, ?3
FROM default_record
WHERE
    state = 'open' AND by_rule = 1 AND customer_key IN (?1, ?2) AND closed_entry_key IS NOT NULL
    AND EXISTS (
        SELECT 1 FROM default_record AS kept
        WHERE
            kept.customer_key IN (?1, ?2) AND kept.customer_key <> default_record.customer_key
            AND kept.state = 'open' AND kept.by_rule = 1 AND kept.currency = default_record.currency
            AND (kept.rests_on_key IS NOT NULL, kept.customer_key = ?1)
            < (default_record.rests_on_key IS NOT NULL, default_record.customer_key = ?1)
    )
