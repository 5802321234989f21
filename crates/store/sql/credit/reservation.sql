-- ?1: id of a reservation.
-- Gives the contract's reservation as it is stored.
SELECT
    json_object(
        'id', r.id, 'customer', c.id, 'amount', json_object('minor', r.minor, 'currency', r.currency),
        'order_id', r.order_id, 'made_at', r.made_at, 'expires_at', r.expires_at, 'state', r.state
    )
FROM credit_reservation AS r
CROSS JOIN customer AS c ON c.key = r.customer_key
WHERE r.id = ?1
