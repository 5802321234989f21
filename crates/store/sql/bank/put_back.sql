-- ?1: the id of a payment. Gives the id of the credit that it was booked for, where that has another payment by now or
-- none.
SELECT e.id
FROM payment AS p
CROSS JOIN bank_entry AS e
    ON e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-')) AND e.payment_key IS NOT p.key
WHERE p.id = ?1 AND p.id LIKE 'bank-%' AND e.minor > 0 AND e.undone > 0
