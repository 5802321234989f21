-- ?1: after this customer, ?2: up to this one, ?3: the business date, ?4: tolerances by currency, 100 of those not named.
-- Writes what each customer owes on the day, and zero for who owed at the sweep before and owes nothing now. Since when
-- something is overdue is told of what somebody would be reminded of: not of what is contested, and not of a rest below
-- the tolerance.
WITH
-- What was allocated after the day was still open on it, on both sides.
later AS (
    SELECT * FROM allocation
    WHERE customer_key > ?1 AND customer_key <= ?2 AND allocated_on > ?3
),
piece AS (
    SELECT
        customer_key, currency, kind, due_on, key, open_minor AS minor,
        due_on < ?3
        AND open_minor - CASE
            -- The index has whether anything is contested.
            WHEN disputed THEN (SELECT e.disputed_minor FROM invoice AS e WHERE e.key = invoice.key)
            ELSE 0
        END >= coalesce(?4 ->> currency, 100) AS chased
    FROM invoice
    WHERE customer_key > ?1 AND customer_key <= ?2 AND issued_on <= ?3 AND open_minor > 0
    UNION ALL
    SELECT i.customer_key, i.currency, i.kind, i.due_on, i.key, l.amount_minor, i.due_on < ?3
    FROM later AS l CROSS JOIN invoice AS i ON i.key = l.invoice_key
    WHERE i.issued_on <= ?3
    UNION ALL
    SELECT i.customer_key, i.currency, i.kind, i.due_on, i.key, l.amount_minor, 0
    FROM later AS l CROSS JOIN invoice AS i ON i.key = l.credit_key
    WHERE i.issued_on <= ?3
    UNION ALL
    SELECT customer_key, currency, 'credit-note', received_on, NULL, unallocated_minor, 0
    FROM payment
    WHERE unallocated_minor > 0 AND customer_key > ?1 AND customer_key <= ?2 AND received_on <= ?3
    UNION ALL
    SELECT p.customer_key, p.currency, 'credit-note', p.received_on, NULL, l.amount_minor, 0
    FROM later AS l CROSS JOIN payment AS p ON p.key = l.payment_key
    WHERE p.received_on <= ?3
    UNION ALL
    SELECT customer_key, currency, 'credit-note', NULL, NULL, 0, 0
    FROM arrears
    WHERE customer_key > ?1 AND customer_key <= ?2
),
owed AS (
    SELECT
        customer_key,
        currency,
        sum(CASE WHEN kind <> 'credit-note' THEN minor ELSE 0 END) AS outstanding,
        sum(CASE WHEN kind <> 'credit-note' AND due_on < ?3 THEN minor ELSE 0 END) AS overdue,
        sum(CASE WHEN kind = 'credit-note' THEN minor ELSE 0 END) AS unapplied,
        min(CASE WHEN kind <> 'credit-note' AND minor > 0 THEN due_on END) AS oldest,
        max(kind <> 'credit-note' AND chased) AS chased,
        -- One item in place of another of the same amount shows in no sum. The remainders keep it far from overflow.
        sum(CASE WHEN kind <> 'credit-note' THEN (key % 100003) * (minor % 100003) ELSE 0 END) AS mark
    FROM piece
    GROUP BY customer_key, currency
)
INSERT INTO arrears
    (customer_key, currency, as_of, outstanding_minor, overdue_minor, unapplied_minor, oldest_due_on, overdue_since,
     open_mark, next_action_on)
SELECT
    customer_key, currency, ?3, outstanding, overdue, unapplied, oldest, CASE WHEN chased THEN ?3 END, mark, ?3
FROM owed
WHERE true
ON CONFLICT (customer_key, currency) DO UPDATE SET
    as_of = excluded.as_of,
    outstanding_minor = excluded.outstanding_minor,
    overdue_minor = excluded.overdue_minor,
    unapplied_minor = excluded.unapplied_minor,
    oldest_due_on = excluded.oldest_due_on,
    overdue_since = CASE
        WHEN excluded.overdue_since IS NOT NULL THEN coalesce(overdue_since, excluded.overdue_since)
    END,
    open_mark = excluded.open_mark,
    next_action_on = CASE
        WHEN
            outstanding_minor IS NOT excluded.outstanding_minor
            OR unapplied_minor IS NOT excluded.unapplied_minor
            OR oldest_due_on IS NOT excluded.oldest_due_on
            OR open_mark IS NOT excluded.open_mark
            THEN excluded.next_action_on
        ELSE next_action_on
    END
