-- ?1: after this name, ?2: at most so many, ?3: only this name or null.
-- Gives the contract's rule of each that stands.
WITH
page AS (
    SELECT * FROM credit_rule WHERE replaced = 0 AND ?3 IS NULL AND name > ?1
    UNION ALL
    SELECT * FROM credit_rule WHERE replaced = 0 AND name = ?3
    ORDER BY name
    LIMIT ?2
)
SELECT
    json_group_array(
        json_object('name', name, 'version', version, 'rule', json(document)) ORDER BY name
    )
FROM page
