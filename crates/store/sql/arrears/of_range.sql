-- ?1: after this customer, ?2: up to this one, ?3: the business date.
-- Gives [customer_key, currency, outstanding, overdue, unapplied, overdue_since, oldest_due_on] of the day's sweep.
SELECT
    json_group_array(
        json_array(
            customer_key, currency, outstanding_minor, overdue_minor, unapplied_minor, overdue_since, oldest_due_on
        )
    )
FROM arrears
WHERE customer_key > ?1 AND customer_key <= ?2 AND as_of = ?3 AND (outstanding_minor <> 0 OR unapplied_minor <> 0)
