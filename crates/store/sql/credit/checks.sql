-- ?1: before this key, ?2: at most so many, ?3: customer or null, ?4: verdict or null.
-- Gives [key, the contract's kept-check], newest first. What a check rested on is read of those of the page alone.
WITH
wanted AS (
    SELECT f.check_key AS key, k.verdict
    FROM customer AS c
    CROSS JOIN credit_check_filed AS f ON f.customer_key = c.key AND f.check_key < ?1
    CROSS JOIN credit_check AS k ON k.key = f.check_key
    WHERE c.id = ?3
    UNION ALL
    SELECT k.key, k.verdict
    FROM customer AS c
    CROSS JOIN credit_filing AS f ON f.one = 1
    CROSS JOIN credit_check AS k ON k.key > f.upto_key AND k.key < ?1 AND k.customer_key = c.key
    WHERE c.id = ?3
    UNION ALL
    SELECT key, verdict FROM credit_check WHERE ?3 IS NULL AND verdict <> 'pass' AND verdict = ?4 AND key < ?1
    UNION ALL
    SELECT key, verdict FROM credit_check WHERE ?3 IS NULL AND coalesce(?4, 'pass') = 'pass' AND key < ?1
),
page AS (SELECT key FROM wanted WHERE ?4 IS NULL OR verdict = ?4 ORDER BY key DESC LIMIT ?2)
SELECT
    json_group_array(
        json_array(
            checked.key,
            json_object(
                'id', checked.id, 'customer', c.id, 'at', checked.at,
                'amount', checked.inputs -> '$.question.amount',
                'purpose', coalesce(checked.inputs ->> '$.question.purpose', 'order'),
                'order_id', checked.inputs ->> '$.question.order_id',
                'verdict', checked.verdict, 'hold_id', checked.hold_id
            )
        )
        ORDER BY checked.key DESC
    )
FROM page
CROSS JOIN credit_check AS checked ON checked.key = page.key
CROSS JOIN customer AS c ON c.key = checked.customer_key
