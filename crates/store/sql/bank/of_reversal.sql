-- ?1: the id of a reversal. Gives the id of the debit that it was booked for: what follows bank-, without the number that
-- reversals after the first one of an entry have behind a hyphen.
SELECT e.id
FROM reversal AS r
CROSS JOIN bank_entry AS e
    ON e.id IN (substr(r.id, 6), rtrim(rtrim(substr(r.id, 6), '0123456789'), '-')) AND e.payment_key = r.payment_key
WHERE r.id = ?1 AND r.id LIKE 'bank-%' AND e.minor < 0
