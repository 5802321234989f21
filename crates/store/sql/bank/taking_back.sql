-- ?1: after this key. Gives [{key, id, booked_on, minor, state, payment, payment_id, customer, customer_id, fits, perhaps}, ...] for
-- each entry that goes out, with the payments of entries before it that have the same end-to-end reference on the same
-- account of ours in the same currency, or, where the bank marks the entry, that are called by that reference, and of which
-- something is left. `fits` is 1 where it is of such an entry, the bank marks it, what goes back is the amount, nothing went back
-- before, and no other payer's account says otherwise. `perhaps` is 1 where as much went back of it another way within five days.
SELECT
    json_group_array(
        json_object(
            'key', key, 'id', id, 'booked_on', booked_on, 'minor', minor, 'state', state, 'payment', payment_key,
            'payment_id', payment_id, 'customer', customer_key, 'customer_id', customer_id,
            'fits', reversal = 1 AND minor = amount_minor AND returned_minor = 0 AND same_payer, 'perhaps', perhaps
        )
    )
FROM (
    SELECT
        e.key, e.id, e.booked_on, -coalesce(e.instructed_minor, e.minor) AS minor, e.state, e.reversal,
        p.key AS payment_key, p.id AS payment_id, p.amount_minor, p.customer_key, c.id AS customer_id,
        max(
            f.of_entry
            AND coalesce(e.payer_account, f.payer_account, '') = coalesce(f.payer_account, e.payer_account, '')
        ) AS same_payer,
        coalesce((SELECT sum(r.minor) FROM reversal AS r WHERE r.payment_key = p.key AND r.undone_entry_key IS NULL), 0)
        AS returned_minor,
        EXISTS (
            SELECT 1 FROM reversal AS r
            WHERE
                r.payment_key = p.key AND r.undone_entry_key IS NULL AND r.kind <> 'mistake' AND r.id NOT LIKE 'bank-%'
                AND r.minor IN (-e.minor, -coalesce(e.instructed_minor, e.minor))
                AND abs(julianday(r.reversed_on) - julianday(e.booked_on)) <= 5
        ) AS perhaps
    FROM (
        SELECT e.key, before.payment_key, before.payer_account, 1 AS of_entry
        FROM bank_entry AS e INDEXED BY bank_entry_by_state
        CROSS JOIN bank_entry AS before INDEXED BY bank_entry_by_end_to_end ON before.end_to_end = e.end_to_end
        CROSS JOIN bank_statement AS s ON s.key = e.statement_key
        CROSS JOIN bank_statement AS t ON t.key = before.statement_key
        WHERE
            e.state IN ('review', 'unmatched') AND e.state <> 'automatic' AND e.key > ?1 AND e.minor < 0
            AND t.own_account = s.own_account AND t.currency = s.currency
            AND before.minor > 0 AND before.end_to_end IS NOT NULL
        UNION ALL
        SELECT e.key, coalesce(p.key, n.payment_key), NULL, 0
        FROM bank_entry AS e INDEXED BY bank_entry_by_state
        LEFT JOIN payment AS p ON p.id = e.end_to_end
        LEFT JOIN payment_name AS n ON n.id = e.end_to_end
        WHERE e.state = 'review' AND e.state <> 'automatic' AND e.key > ?1 AND e.minor < 0 AND e.reversal = 1
    ) AS f
    CROSS JOIN bank_entry AS e ON e.key = f.key
    CROSS JOIN bank_statement AS s ON s.key = e.statement_key
    CROSS JOIN payment AS p ON p.key = f.payment_key
    CROSS JOIN customer AS c ON c.key = p.customer_key
    WHERE
        e.repeats IS NULL AND p.received_on <= e.booked_on
        AND (f.of_entry OR p.currency = s.currency AND p.converted_from_key IS NULL)
    GROUP BY e.key, p.key
    ORDER BY e.key, p.key
)
WHERE returned_minor < amount_minor
