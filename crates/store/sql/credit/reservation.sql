-- ?1: id of a reservation.
-- Gives the contract's reservation as it is stored.
SELECT
    json_object(
        'id', r.id, 'customer', c.id, 'amount', json_object('minor', r.minor, 'currency', r.currency),
        'order_id', r.order_id, 'made_at', r.made_at, 'expires_at', r.expires_at, 'state', r.state,
        'purpose', r.purpose, 'terms_days', r.terms_days, 'check_id', r.check_id,
        'verdict', (SELECT k.verdict FROM credit_check AS k WHERE k.id = r.check_id), 'hold_id', r.hold_id
    )
FROM credit_reservation AS r
CROSS JOIN customer AS c ON c.key = r.customer_key
WHERE r.id = ?1
