-- ?1: [event, after, upto] by key. Gives [event, key, id].
SELECT json_group_array(json_array(s.value ->> 0, c.key, c.id))
FROM json_each(?1) AS s
CROSS JOIN customer AS c ON c.key > s.value ->> 1 AND c.key <= s.value ->> 2
