-- ?1: before this key, ?2: at most so many, ?3: customer or null, ?4: state or null, ?5: order or null, ?6: only this id or
-- null. Gives [key, the contract's hold without reasons, what was seen], newest first.
WITH
wanted AS (
    SELECT h.* FROM customer AS c CROSS JOIN credit_hold AS h ON h.customer_key = c.key
    WHERE c.id = ?3 AND ?5 IS NULL AND ?6 IS NULL AND h.key < ?1
    UNION ALL
    SELECT * FROM credit_hold
    WHERE
        order_id = ?5 AND ?6 IS NULL AND key < ?1
        AND (?3 IS NULL OR customer_key = (SELECT c.key FROM customer AS c WHERE c.id = ?3))
    UNION ALL
    SELECT * FROM credit_hold
    WHERE ?3 IS NULL AND ?5 IS NULL AND ?6 IS NULL AND ?4 IS NOT NULL AND state = ?4 AND key < ?1
    UNION ALL
    SELECT * FROM credit_hold WHERE ?3 IS NULL AND ?5 IS NULL AND ?6 IS NULL AND ?4 IS NULL AND key < ?1
    UNION ALL
    SELECT * FROM credit_hold WHERE id = ?6
),
page AS (SELECT * FROM wanted WHERE ?4 IS NULL OR state = ?4 ORDER BY key DESC LIMIT ?2)
SELECT
    json_group_array(
        json_array(
            page.key,
            json_object(
                'id', page.id, 'customer', c.id, 'order_id', page.order_id,
                'amount', json(iif(
                    page.minor IS NULL, NULL, json_object('minor', page.minor, 'currency', page.currency)
                )),
                'purpose', page.purpose, 'terms_days', page.terms_days, 'reasons', json('[]'), 'verdict', page.verdict, 'rules', json(page.rules), 'reason', page.reason,
                'opened_at', page.opened_at, 'state', page.state, 'closed_at', page.closed_at,
                'released_by', page.released_by, 'release_reason', page.release_reason,
                'released_until', page.released_until
            ),
            json(coalesce(page.reasons, '[]'))
        )
        ORDER BY page.key DESC
    )
FROM page CROSS JOIN customer AS c ON c.key = page.customer_key
