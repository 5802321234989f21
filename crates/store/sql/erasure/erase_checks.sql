-- ?1: a customer, ?2: what stands in the place of a text.
-- Takes the same out of checks that were kept before they left it out.
UPDATE credit_check SET
    inputs = json_set(
        inputs, '$.position.rules', (
            SELECT
                json_group_array(
                    json(iif(
                        r.value ->> '$.rule.reason' IS NULL, r.value, json_set(r.value, '$.rule.reason', ?2)
                    ))
                    ORDER BY r.key
                )
            FROM json_each(inputs, '$.position.rules') AS r
        )
    )
WHERE
    key IN (
        SELECT f.check_key FROM credit_check_filed AS f WHERE f.customer_key = ?1
        UNION ALL
        SELECT late.key
        FROM credit_filing AS f CROSS JOIN credit_check AS late ON late.key > f.upto_key AND late.customer_key = ?1
        WHERE f.one = 1
    )
    AND EXISTS (
        SELECT 1 FROM json_each(inputs, '$.position.rules') AS r
        WHERE r.value ->> '$.rule.reason' IS NOT NULL AND r.value ->> '$.rule.reason' <> ?2
    )
RETURNING key
