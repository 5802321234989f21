-- ?1, ?2: after this name and version from the top, ?3: at most so many, ?4: only this name when given.
-- Gives [name, version, valid_from, document], a draft before the versions of its name, the newest of these first.
SELECT json_group_array(json_array(name, version, valid_from, json(document)))
FROM (
    SELECT name, version, valid_from, document
    FROM card
    WHERE (name, -coalesce(version, 1000000000)) > (?1, ?2) AND (?4 IS NULL OR name = ?4)
    ORDER BY name, -coalesce(version, 1000000000)
    LIMIT ?3
)
