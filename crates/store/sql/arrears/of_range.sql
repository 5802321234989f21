-- ?1: after this customer, ?2: up to this one, ?3: the business date, ?4: tolerances by currency, 100 of those not named.
-- Gives [customer_key, currency, outstanding, overdue, unapplied, overdue_since, oldest due date, chased] of the day's sweep.
-- Where something is overdue since the day, the last two are of what is overdue and somebody would be reminded of: neither
-- what is contested nor a rest below the tolerance. Elsewhere they are of all that is open, and of all that is overdue.
SELECT
    json_group_array(
        json_array(
            customer_key, currency, outstanding_minor, overdue_minor, unapplied_minor, overdue_since,
            coalesce(chased ->> 0, oldest_due_on), coalesce(chased ->> 1, overdue_minor)
        )
    )
FROM (
    SELECT
        customer_key, currency, outstanding_minor, overdue_minor, unapplied_minor, overdue_since, oldest_due_on,
        CASE
            WHEN overdue_since = ?3 THEN (
                SELECT json_array(min(i.due_on), sum(i.open_minor - iif(i.disputed, i.disputed_minor, 0)))
                FROM invoice AS i
                WHERE
                    i.customer_key = arrears.customer_key AND i.currency = arrears.currency
                    AND i.open_minor > 0 AND i.issued_on <= ?3 AND i.due_on < ?3 AND i.kind <> 'credit-note'
                    AND i.open_minor - iif(i.disputed, i.disputed_minor, 0) >= coalesce(?4 ->> i.currency, 100)
            )
        END AS chased
    FROM arrears
    WHERE customer_key > ?1 AND customer_key <= ?2 AND as_of = ?3 AND (outstanding_minor <> 0 OR unapplied_minor <> 0)
    -- Worked out once, not at each use.
    LIMIT -1
)
