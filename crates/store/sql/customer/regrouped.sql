-- ?1: keys of customers as a JSON array.
-- Gives the keys of everybody in the groups that those of them are in, and were in, who were ever in another.
WITH
moved AS MATERIALIZED (
    SELECT c.key, c.parent_key, f.parent_key AS left_key
    FROM json_each(?1) AS j
    CROSS JOIN customer AS c ON c.key = j.value
    CROSS JOIN customer_former AS f ON f.customer_key = c.key
    WHERE f.parent_key IS NOT c.parent_key
),
heads AS MATERIALIZED (
    SELECT coalesce(parent_key, key) AS key FROM moved
    UNION
    SELECT left_key FROM moved WHERE left_key IS NOT NULL
)
SELECT json_group_array(key)
FROM (
    SELECT key FROM heads
    UNION
    SELECT c.key FROM heads CROSS JOIN customer AS c ON c.parent_key = heads.key
)
