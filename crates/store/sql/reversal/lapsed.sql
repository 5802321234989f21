-- ?1: the id of a reversal. Gives 1 where it was said to be a debit of a bank statement which is not booked on its payment
-- any more.
SELECT EXISTS (
    SELECT 1 FROM reversal AS r
    WHERE
        r.id = ?1 AND r.undone_entry_key = r.entry_key
        AND NOT EXISTS (
            -- As in bank/of_reversal.sql.
            SELECT 1 FROM bank_entry AS e
            WHERE
                e.id IN (substr(r.reason, 6), rtrim(rtrim(substr(r.reason, 6), '0123456789'), '-'))
                AND e.payment_key = r.payment_key AND e.minor < 0
        )
)
