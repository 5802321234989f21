-- ?1: another name of a payment. Gives what is known of the payment under it, how much of that did not go back under this
-- name, by itself or as a debit of a statement that is booked on the payment.
SELECT
    n.amount_minor,
    n.amount_minor - coalesce(
        (
            SELECT sum(r.minor) FROM reversal AS r
            WHERE
                r.payment_key = n.payment_key AND r.payment_name = n.id
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
    )
FROM payment_name AS n
WHERE n.id = ?1
