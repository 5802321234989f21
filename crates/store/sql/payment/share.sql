-- ?1: another name of a payment. Gives what is known of the payment under it, how much went back under this name, by itself or
-- as a debit of a statement that is booked on the payment, and what a part in another currency comes to and cost, or 1
-- and 1: what went back of such a part is of the payment that was changed.
SELECT
    n.amount_minor,
    coalesce(
        (
            SELECT sum(r.minor) FROM reversal AS r
            WHERE
                r.payment_key = coalesce(p.converted_from_key, p.key) AND r.payment_name = n.id
                AND (
                    r.undone_entry_key IS NULL
                    OR r.undone_entry_key = r.entry_key
                    AND EXISTS (
                        -- As in bank/of_reversal.sql.
                        SELECT 1 FROM bank_entry AS e
                        WHERE
                            e.id IN (substr(r.reason, 6), rtrim(rtrim(substr(r.reason, 6), '0123456789'), '-'))
                            AND e.payment_key = r.payment_key AND e.minor < 0
                    )
                )
        ),
        0
    ),
    iif(p.cost_minor IS NULL, 1, p.amount_minor), coalesce(p.cost_minor, 1)
FROM payment_name AS n
CROSS JOIN payment AS p ON p.key = n.payment_key
WHERE n.id = ?1
