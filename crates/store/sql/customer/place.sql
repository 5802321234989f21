-- ?1: an id. Gives [key, parent_key, whether it is a parent, merged_key, id it was merged into], or nothing.
SELECT
    json_array(
        c.key, c.parent_key,
        EXISTS (SELECT 1 FROM customer AS member WHERE member.parent_key = c.key),
        c.merged_key, m.id
    )
FROM customer AS c
LEFT JOIN customer AS m ON m.key = c.merged_key
WHERE c.id = ?1
