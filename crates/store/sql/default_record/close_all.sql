-- ?1: keys of defaults as a JSON array, ?2: the day, ?3: the entry of the audit chain, ?4: the state.
-- What cured one is the last payment that was set against the customer's documents since the default was recorded.
UPDATE default_record
SET
    state = ?4, closed_on = ?2, closed_entry_key = ?3,
    cured_by_key = (
        SELECT a.payment_key
        FROM allocation AS a
        CROSS JOIN payment AS p ON p.key = a.payment_key
        WHERE
            ?4 = 'cured'
            AND a.customer_key = default_record.customer_key AND p.currency = default_record.currency
            AND a.invoice_key IS NOT NULL AND a.amount_minor > 0 AND a.allocated_on <= ?2
            AND a.recorded_at >= (SELECT e.at FROM audit AS e WHERE e.key = default_record.entry_key)
        ORDER BY a.allocated_on DESC, a.key DESC
        LIMIT 1
    )
WHERE key IN (SELECT value FROM json_each(?1))
