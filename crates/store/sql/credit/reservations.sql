-- ?1: before this key, ?2: at most so many, ?3: customer or null, ?4: state or null, ?5: order or null, ?6: this moment.
-- Gives [key, the contract's reservation as it is stored], newest first. The state that is asked for is the one of this
-- moment: what is stored as held has expired when its time ran out. A reservation that names no order is of the order of
-- its own id. All that is kept free now is found by its end.
WITH
wanted AS (
    SELECT r.key, r.state, r.until_at
    FROM customer AS c CROSS JOIN credit_reservation AS r ON r.customer_key = c.key
    WHERE c.id = ?3 AND ?5 IS NULL AND ?4 = 'held' AND r.until_at > ?6 AND r.key < ?1
    UNION ALL
    SELECT r.key, r.state, r.until_at
    FROM customer AS c CROSS JOIN credit_reservation AS r ON r.customer_key = c.key
    WHERE c.id = ?3 AND ?5 IS NULL AND ?4 IS NOT 'held' AND r.key < ?1
    UNION ALL
    SELECT key, state, until_at FROM credit_reservation
    WHERE
        order_id = ?5 AND key < ?1
        AND (?3 IS NULL OR customer_key = (SELECT asked.key FROM customer AS asked WHERE asked.id = ?3))
    UNION ALL
    SELECT key, state, until_at FROM credit_reservation
    WHERE
        id = ?5 AND order_id IS NULL AND key < ?1
        AND (?3 IS NULL OR customer_key = (SELECT asked.key FROM customer AS asked WHERE asked.id = ?3))
    UNION ALL
    SELECT key, state, until_at FROM credit_reservation INDEXED BY credit_reservation_held
    WHERE ?3 IS NULL AND ?5 IS NULL AND ?4 = 'held' AND state = 'held' AND until_at > ?6 AND key < ?1
    UNION ALL
    SELECT key, state, until_at FROM credit_reservation
    WHERE ?3 IS NULL AND ?5 IS NULL AND ?4 IS NOT 'held' AND key < ?1
),
page AS (
    SELECT key FROM wanted
    WHERE ?4 IS NULL OR iif(state = 'held' AND until_at <= ?6, 'expired', state) = ?4
    ORDER BY key DESC
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            kept.key,
            json_object(
                'id', kept.id, 'customer', c.id,
                'amount', json_object('minor', kept.minor, 'currency', kept.currency), 'order_id', kept.order_id,
                'made_at', kept.made_at, 'expires_at', kept.expires_at, 'state', kept.state, 'purpose', kept.purpose,
                'terms_days', kept.terms_days, 'check_id', kept.check_id,
                'verdict', (SELECT k.verdict FROM credit_check AS k WHERE k.id = kept.check_id), 'hold_id', kept.hold_id
            )
        )
        ORDER BY kept.key DESC
    )
FROM page
CROSS JOIN credit_reservation AS kept ON kept.key = page.key
CROSS JOIN customer AS c ON c.key = kept.customer_key
