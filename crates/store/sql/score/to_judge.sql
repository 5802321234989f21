-- ?1: after this customer, ?2: up to this one.
-- Gives [key, id, segment, industry, [score, grade, tier, model] of the last judgement].
SELECT
    json_group_array(
        json_array(
            c.key, c.id, c.segment, c.industry,
            json(iif(s.customer_key IS NULL, NULL, json_array(s.score, s.grade, s.tier, s.model)))
        )
    )
FROM customer AS c
LEFT JOIN score AS s ON s.customer_key = c.key
WHERE c.key > ?1 AND c.key <= ?2
