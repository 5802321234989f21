-- ?1: ids of payments as a JSON array. Gives [[id, id, customer_id], ...] for those whose entry was booked anew: the payment
-- that it is now.
SELECT json_group_array(json_array(p.id, o.id, c.id))
FROM json_each(?1) AS j
CROSS JOIN payment AS p ON p.id = j.value
-- As in bank/of_payment.sql.
CROSS JOIN bank_entry AS e
    ON e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-')) AND e.payment_key <> p.key
CROSS JOIN payment AS o ON o.key = e.payment_key
CROSS JOIN customer AS c ON c.key = o.customer_key
WHERE e.minor > 0
