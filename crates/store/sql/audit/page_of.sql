-- ?1: after this key, ?2: at most so many, ?3: about this kind of thing or null, ?4: about what has this id or null.
-- Gives the entries in their order.
WITH
page AS (
    SELECT * FROM audit WHERE key > ?1 AND id = ?4 AND (?3 IS NULL OR noun = ?3)
    UNION ALL
    SELECT * FROM audit WHERE ?4 IS NULL AND key > ?1 AND noun = ?3
    ORDER BY key
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            key, at, who, action, noun, id, change, personal, salt, personal_hash, previous, hash
        )
    )
FROM page
