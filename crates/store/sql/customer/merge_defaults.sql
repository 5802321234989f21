-- ?1: the customer that goes, ?2: the one that stays, ?3: the day, ?4: the audit entry.
-- Of two defaults that the rule opened in one currency the one that stands by itself is kept, and of two that do, or two
-- cross-defaults, the one of the customer that stays.
UPDATE default_record
SET state = 'withdrawn', closed_on = ?3, closed_entry_key = ?4
WHERE
    state = 'open' AND by_rule = 1 AND customer_key IN (?1, ?2)
    AND EXISTS (
        SELECT 1 FROM default_record AS kept
        WHERE
            kept.customer_key IN (?1, ?2) AND kept.customer_key <> default_record.customer_key
            AND kept.state = 'open' AND kept.by_rule = 1 AND kept.currency = default_record.currency
            AND (kept.rests_on_key IS NOT NULL, kept.customer_key = ?1)
            < (default_record.rests_on_key IS NOT NULL, default_record.customer_key = ?1)
    )
