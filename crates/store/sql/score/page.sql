-- ?1, ?2: after this order and customer, ?3: at most so many, ?4: up to this order, ?5: the grade, ?6: the tier; null: any.
SELECT json_group_array(json_array(score_order, customer_key, id, as_of, score, grade, notch, tier, model))
FROM (
    SELECT s.score_order, s.customer_key, c.id, s.as_of, s.score, s.grade, s.notch, s.tier, s.model
    FROM score AS s
    CROSS JOIN customer AS c ON c.key = s.customer_key
    WHERE
        (s.score_order, s.customer_key) > (?1, ?2) AND s.score_order <= ?4
        AND (?5 IS NULL OR s.grade = ?5) AND (?6 IS NULL OR s.tier = ?6)
    ORDER BY s.score_order, s.customer_key
    LIMIT ?3
)
