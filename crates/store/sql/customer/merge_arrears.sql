-- ?1: the customer that goes, ?2: the one that stays. What the last sweep found of both in one currency becomes one row.
UPDATE arrears
SET
    outstanding_minor = arrears.outstanding_minor + gone.outstanding_minor,
    overdue_minor = arrears.overdue_minor + gone.overdue_minor,
    unapplied_minor = arrears.unapplied_minor + gone.unapplied_minor,
    oldest_due_on = min(coalesce(arrears.oldest_due_on, gone.oldest_due_on), coalesce(gone.oldest_due_on, arrears.oldest_due_on)),
    overdue_since = min(coalesce(arrears.overdue_since, gone.overdue_since), coalesce(gone.overdue_since, arrears.overdue_since)),
    last_notice_on = max(coalesce(arrears.last_notice_on, gone.last_notice_on), coalesce(gone.last_notice_on, arrears.last_notice_on))
FROM arrears AS gone
WHERE gone.customer_key = ?1 AND arrears.customer_key = ?2 AND gone.currency = arrears.currency
