-- ?1: the customer, ?2: before this day, ?3: at most so many.
SELECT json_group_array(json_array(as_of, score, grade, notch, tier, model, json(facts), judged_at, tiers_key))
FROM (
    SELECT as_of, score, grade, notch, tier, model, facts, judged_at, tiers_key
    FROM score_change
    WHERE customer_key = ?1 AND as_of < ?2
    ORDER BY as_of DESC
    LIMIT ?3
)
