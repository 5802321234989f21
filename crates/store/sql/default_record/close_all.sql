-- ?1: keys of defaults as a JSON array, ?2: the day, ?3: the entry of the audit chain, ?4: the state.
-- What cured one is the last payment of which more was set, since the default was recorded, against what was overdue: due
-- before the default was found, or before the money came. A cross-default is cured by money where nothing is owed any more.
UPDATE default_record
SET
    state = ?4, closed_on = ?2, closed_entry_key = ?3,
    cured_by_key = (
        SELECT a.payment_key
        FROM allocation AS a
        CROSS JOIN payment AS p ON p.key = a.payment_key
        CROSS JOIN invoice AS i ON i.key = a.invoice_key
        WHERE
            ?4 = 'cured'
            AND a.customer_key = default_record.customer_key AND p.currency = default_record.currency
            AND a.allocated_on <= ?2
            AND a.recorded_at >= (SELECT e.at FROM audit AS e WHERE e.key = default_record.entry_key)
            AND iif(
                default_record.rests_on_key IS NULL,
                i.due_on < default_record.found_on OR i.due_on < a.allocated_on,
                NOT EXISTS (
                    SELECT 1 FROM arrears AS r
                    WHERE
                        r.customer_key = default_record.customer_key AND r.currency = default_record.currency
                        AND r.as_of = ?2 AND r.outstanding_minor > 0
                )
            )
        GROUP BY a.payment_key
        HAVING sum(a.amount_minor) > 0
        ORDER BY max(a.allocated_on) DESC, max(a.key) DESC
        LIMIT 1
    )
WHERE key IN (SELECT value FROM json_each(?1))
