-- ?1: a payment's key, ?2: how much goes back of it, ?3: on which day, ?4: only this reversal, or null, ?5: what the bank kept
-- of the payment, where its source may know it as before that, ?6: 1 where it is what is new of a total of all refunds.
-- Gives the id of what a debit of a bank statement was booked as, stands, and of which nothing else says that it is that: of
-- this amount within five days, or the one that is named, of at least the amount. What is new of a total may have a debit
-- within it, whenever that was, or be a part of one within five days.
SELECT id
FROM (
    SELECT
        r.id, abs(julianday(r.reversed_on) - julianday(?3)) AS apart,
        r.minor - coalesce(
            (
                -- What was kept as one that is there already counts from no moment on. A debit that was booked anew on the
                -- same payment is what was said of it before.
                SELECT sum(n.minor) FROM reversal AS n
                WHERE
                    n.payment_key = r.payment_key AND n.undone_entry_key = n.entry_key
                    AND (n.reason = 'bank-' || e.id OR n.reason GLOB 'bank-' || e.id || '-*')
            ),
            0
        ) AS left_minor
    FROM reversal AS r
    -- As in bank/of_reversal.sql.
    CROSS JOIN bank_entry AS e
        ON e.id IN (substr(r.id, 6), rtrim(rtrim(substr(r.id, 6), '0123456789'), '-')) AND e.payment_key = r.payment_key
    WHERE r.payment_key = ?1 AND r.id LIKE 'bank-%' AND r.undone_entry_key IS NULL AND e.minor < 0
)
WHERE
    left_minor > 0
    AND CASE
        WHEN ?4 IS NOT NULL THEN id = ?4 AND left_minor + ?5 >= ?2
        WHEN ?6 = 1 THEN apart <= 5 OR ?2 >= left_minor
        ELSE ?2 - left_minor IN (0, ?5) AND apart <= 5
    END
ORDER BY apart, id
LIMIT 1
