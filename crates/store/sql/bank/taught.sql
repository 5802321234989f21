-- ?1: after this key, ?2: at most so many, ?3: only this one. Gives [[key, customer_key, payer-account], ...] with the
-- contract's payer-account. A customer who was merged is the one it was merged into.
SELECT
    json_group_array(
        json_array(
            a.key, a.customer_key,
            json_object(
                'id', a.id, 'customer_id', coalesce(m.id, c.id), 'account', a.account, 'taught_on', a.taught_on
            )
        )
    )
FROM (
    SELECT * FROM (
        SELECT * FROM payer_account WHERE ?3 IS NULL AND key > ?1
        UNION ALL
        SELECT * FROM payer_account WHERE ?3 IS NOT NULL AND id = ?3
    )
    ORDER BY key
    LIMIT ?2
) AS a
CROSS JOIN customer AS c ON c.key = a.customer_key
LEFT JOIN customer AS m ON m.key = c.merged_key
