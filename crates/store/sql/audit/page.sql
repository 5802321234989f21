-- ?1: after this key, ?2: at most so many. Gives the entries in their order.
WITH
page AS (SELECT * FROM audit WHERE key > ?1 ORDER BY key LIMIT ?2)
SELECT
    json_group_array(
        json_array(
            key, at, who, action, noun, id, change, personal, salt, personal_hash, previous, hash
        )
    )
FROM page
