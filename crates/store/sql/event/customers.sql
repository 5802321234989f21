-- ?1: [event, after, upto] by key. Gives [event, key, id, key and id of whose events it is: after a merge those of the
-- customer that stayed].
SELECT json_group_array(json_array(s.value ->> 0, c.key, c.id, o.key, o.id))
FROM json_each(?1) AS s
CROSS JOIN customer AS c ON c.key > s.value ->> 1 AND c.key <= s.value ->> 2
JOIN customer AS o ON o.key = coalesce(c.merged_key, c.key)
