-- ?1: [customer_key, score, order, grade, notch, tier, model, facts, notches], ?2: the business date, ?3: the last date whose
-- alerts were judged. A grade of a date that was given up before its alerts is passed over: nobody was told of it.
-- Parts of grades of two cards are not compared.
INSERT INTO score (customer_key, as_of, score, score_order, grade, grade_before, notch, tier, model, facts, notches)
SELECT
    value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3, NULL, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8
FROM json_each(?1)
WHERE true
ON CONFLICT (customer_key) DO UPDATE SET
    as_of = excluded.as_of,
    score = excluded.score,
    score_order = excluded.score_order,
    grade = excluded.grade,
    grade_before = CASE WHEN as_of <= ?3 THEN grade ELSE grade_before END,
    notch_before = CASE WHEN model = excluded.model THEN iif(as_of <= ?3, notch, notch_before) END,
    notches = excluded.notches,
    notch = excluded.notch,
    tier = excluded.tier,
    model = excluded.model,
    facts = excluded.facts
