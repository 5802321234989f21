-- ?1: a payment's key. Gives what the bank kept of the credit that it was booked for, or 0.
SELECT
    coalesce(
        (
            -- As in bank/of_payment.sql.
            SELECT e.instructed_minor - e.minor
            FROM payment AS p
            CROSS JOIN bank_entry AS e
                ON e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-')) AND e.payment_key = p.key
            WHERE p.key = ?1 AND p.id LIKE 'bank-%' AND e.minor > 0
        ),
        0
    )
