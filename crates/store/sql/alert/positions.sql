-- ?1: after this customer, ?2: up to this one, ?3: the business date, ?4: 1 for everybody.
-- Gives [customer_key, id, grade, grade_before, [notch, notch_before, notches], facts, 1 for who was judged by a sweep
-- before the one of the day] for each customer that owes something, was scored on the day, or has an alert whose reason is
-- not gone, and of those who were not scored for whoever may be known of by any fact. Without a score of the day there are
-- no facts.
SELECT
    json_group_array(
        json_array(
            key, id, grade, grade_before, json_array(notch, notch_before, notches),
            json(facts), judged_before
        )
    )
FROM (
    SELECT
        c.key, c.id, s.grade,
        CASE WHEN s.as_of = ?3 THEN s.grade_before END AS grade_before,
        s.notch, CASE WHEN s.as_of = ?3 THEN s.notch_before END AS notch_before, s.notches,
        CASE WHEN s.as_of = ?3 AND ?4 = 0 THEN s.facts END AS facts,
        CASE
            WHEN s.as_of = ?3
                THEN
                    s.grade_before IS NOT NULL OR EXISTS (
                        SELECT 1 FROM score_change AS h WHERE h.customer_key = c.key AND h.as_of < ?3
                    )
            ELSE s.customer_key IS NOT NULL
        END AS judged_before
    FROM customer AS c
    LEFT JOIN score AS s ON s.customer_key = c.key
    WHERE
        c.key > ?1 AND c.key <= ?2
        AND (
            ?4 = 1
            OR s.as_of = ?3
            OR EXISTS (SELECT 1 FROM arrears AS a WHERE a.customer_key = c.key AND a.outstanding_minor > 0)
            OR EXISTS (SELECT 1 FROM alert AS t WHERE t.customer_key = c.key AND t.ended_on IS NULL)
            OR c.merged_key IS NULL
            AND (
                c.parent_key IS NOT NULL
                OR EXISTS (SELECT 1 FROM customer AS m WHERE m.parent_key = c.key)
                OR EXISTS (SELECT 1 FROM default_record AS d WHERE d.customer_key = c.key)
                OR EXISTS (SELECT 1 FROM external_fact AS f WHERE f.customer_key = c.key)
                OR EXISTS (SELECT 1 FROM customer_event AS e WHERE e.customer_key = c.key)
                OR EXISTS (SELECT 1 FROM customer_change AS h WHERE h.customer_key = c.key)
                OR EXISTS (SELECT 1 FROM reversal AS r WHERE r.customer_key = c.key)
                OR EXISTS (SELECT 1 FROM guarantee AS g WHERE g.customer_key = c.key)
                OR EXISTS (SELECT 1 FROM contract AS k WHERE k.customer_key = c.key)
            )
        )
    ORDER BY c.key
)
