-- ?1: [customer_key, score, grade, notch, tier, model, facts, points], ?2: the business date, ?3: the
-- moment, ?4: the version of the tiers, null before the first.
-- A date that was swept stays as it was judged.
INSERT INTO score_change (customer_key, as_of, score, grade, notch, tier, model, facts, points, judged_at, tiers_key)
SELECT
    value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    ?3, ?4
FROM json_each(?1)
WHERE true
ON CONFLICT (customer_key, as_of) DO NOTHING
