-- ?1: [customer_key, score, order, grade, model, facts], ?2: the business date.
INSERT INTO score (customer_key, as_of, score, score_order, grade, grade_before, model, facts)
SELECT value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3, NULL, value ->> 4, value ->> 5
FROM json_each(?1)
WHERE true
ON CONFLICT (customer_key) DO UPDATE SET
    as_of = excluded.as_of,
    score = excluded.score,
    score_order = excluded.score_order,
    grade = excluded.grade,
    grade_before = grade,
    model = excluded.model,
    facts = excluded.facts
