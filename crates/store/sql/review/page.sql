-- ?1, ?2: after this day and customer, ?3: at most so many, ?4: due by this day.
SELECT json_group_array(json_array(due_on, customer_key, id, reviewed_on, grade, score))
FROM (
    SELECT r.due_on, r.customer_key, c.id, r.reviewed_on, s.grade, s.score
    FROM review AS r
    CROSS JOIN customer AS c ON c.key = r.customer_key
    LEFT JOIN score AS s ON s.customer_key = r.customer_key
    WHERE r.due_on <= ?4 AND (r.due_on, r.customer_key) > (?1, ?2)
    ORDER BY r.due_on, r.customer_key
    LIMIT ?3
)
