-- ?1: the customer that goes, ?2: the one that stays, ?3: the day, ?4: the audit entry.
-- Of two defaults that the rule opened in one currency the one of the customer that stays is kept.
UPDATE default_record
SET state = 'withdrawn', closed_on = ?3, closed_entry_key = ?4
WHERE
    customer_key = ?1 AND state = 'open' AND by_rule = 1
    AND EXISTS (
        SELECT 1 FROM default_record AS kept
        WHERE kept.customer_key = ?2 AND kept.state = 'open' AND kept.by_rule = 1 AND kept.currency = default_record.currency
    )
