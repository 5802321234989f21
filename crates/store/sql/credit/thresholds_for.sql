-- ?1: a key.
-- Gives the thresholds of the limit policy in force, and of those before it back to the last that another key published:
-- what a key published by itself loosens nothing for itself.
SELECT json_group_array(json(y.document -> '$.second_key_from'))
FROM limit_policy AS y
WHERE
    y.document ->> '$.second_key_from' IS NOT NULL
    AND y.key >= coalesce(
        (
            SELECT max(y.key) FROM limit_policy AS y CROSS JOIN audit AS a ON a.key = y.entry_key
            WHERE a.who <> ?1
        ), 0
    )
