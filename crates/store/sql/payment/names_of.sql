-- ?1: the id of a payment, ?2: the key of the one that takes its place, or null.
-- Gives [[name, key, {id, customer_id, received_on, amount, same_as}], ...] for the other names of it and of its parts in
-- other currencies: the payment or part that takes the place, or null, and what a name says, of that or of the one before.
SELECT
    json_group_array(
        json_array(
            n.id, n.now_key,
            json_object(
                'id', n.id, 'customer_id', c.id, 'received_on', n.received_on,
                'amount', json_object('minor', n.amount_minor, 'currency', p.currency), 'same_as', p.id
            )
        )
    )
FROM (
    SELECT
        o.*, f.key AS before_key,
        CASE
            WHEN f.converted_from_key IS NULL THEN ?2
            ELSE (SELECT w.key FROM payment AS w WHERE w.converted_from_key = ?2 AND w.currency = f.currency)
        END AS now_key
    FROM (
        SELECT key FROM payment WHERE id = ?1
        UNION ALL
        SELECT w.key FROM payment AS m CROSS JOIN payment AS w ON w.converted_from_key = m.key WHERE m.id = ?1
    ) AS g
    CROSS JOIN payment AS f ON f.key = g.key
    CROSS JOIN payment_name AS o ON o.payment_key = f.key
    ORDER BY o.id
) AS n
CROSS JOIN payment AS p ON p.key = coalesce(n.now_key, n.before_key)
CROSS JOIN customer AS c ON c.key = p.customer_key
