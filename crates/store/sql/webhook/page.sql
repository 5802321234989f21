-- ?1: after this name, ?2: at most so many, ?3: the one of this name, null for all.
-- Gives [[key, name, url, kinds, paused, paused_because, position], [secret, previous_secret, previous_until], waiting,
-- dead].
SELECT
    json_group_array(
        json_array(
            json_array(key, name, url, json(kinds), paused, paused_because, position),
            json_array(secret, previous_secret, previous_until),
            (SELECT count(*) FROM webhook_event AS e WHERE e.webhook_key = w.key),
            (SELECT count(*) FROM webhook_event AS e WHERE e.webhook_key = w.key AND e.dead = 1)
        )
    )
FROM (
    SELECT * FROM webhook WHERE name > ?1 AND (?3 IS NULL OR name = ?3) ORDER BY name LIMIT ?2
) AS w
