-- ?1: keys of customers as a JSON array.
-- Gives the keys of everybody in their groups, and of the duplicates that were merged into them.
WITH
heads AS MATERIALIZED (
    SELECT DISTINCT coalesce(c.parent_key, c.key) AS key
    FROM json_each(?1) AS j
    CROSS JOIN customer AS c ON c.key = j.value
)
SELECT json_group_array(key)
FROM (
    SELECT key FROM heads
    UNION
    SELECT c.key FROM heads CROSS JOIN customer AS c ON c.parent_key = heads.key
    UNION
    SELECT c.key FROM json_each(?1) AS j CROSS JOIN customer AS c ON c.merged_key = j.value
)
