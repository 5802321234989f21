-- ?1: keys of customers as a JSON array.
-- Gives [key, id, key of the head] for each of them and for all members of their groups; who is in no group is its own
-- head.
WITH
heads AS (
    SELECT DISTINCT coalesce(c.parent_key, c.key) AS key
    FROM json_each(?1) AS j CROSS JOIN customer AS c ON c.key = j.value
)
SELECT json_group_array(json_array(key, id, head))
FROM (
    SELECT c.key, c.id, h.key AS head FROM heads AS h CROSS JOIN customer AS c ON c.key = h.key
    UNION ALL
    SELECT c.key, c.id, h.key FROM heads AS h CROSS JOIN customer AS c ON c.parent_key = h.key
    ORDER BY 1
)
