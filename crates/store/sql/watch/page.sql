-- ?1: today, ?2, ?3, ?4: after this gravity, amount and customer, ?5: at most so many.
-- Gives [gravity, most, customer_key, id, severity, alerts, reason, until_on, outstanding].
WITH
grave AS (
    SELECT customer_key, max(CASE severity WHEN 'critical' THEN 2 ELSE 1 END) AS gravity
    FROM alert
    WHERE
        closed_on IS NULL AND severity IN ('serious', 'critical')
        AND (snoozed_until IS NULL OR snoozed_until <= ?1)
    GROUP BY customer_key
),
wished AS (
    SELECT customer_key, reason, until_on FROM watch
    WHERE ended_on IS NULL AND (until_on IS NULL OR until_on > ?1)
),
watched AS (
    SELECT customer_key FROM grave
    UNION
    SELECT customer_key FROM wished
),
page AS (
    SELECT
        coalesce(g.gravity, 0) AS gravity,
        coalesce((SELECT max(a.outstanding_minor) FROM arrears AS a WHERE a.customer_key = w.customer_key), 0) AS most,
        w.customer_key, h.reason, h.until_on
    FROM watched AS w
    LEFT JOIN grave AS g ON g.customer_key = w.customer_key
    LEFT JOIN wished AS h ON h.customer_key = w.customer_key
)
SELECT
    json_group_array(
        json_array(
            json_array(p.gravity, p.most, p.customer_key), c.id,
            CASE p.gravity WHEN 2 THEN 'critical' WHEN 1 THEN 'serious' END,
            (
                SELECT count(*) FROM alert AS t
                WHERE
                    t.customer_key = p.customer_key AND t.closed_on IS NULL
                    AND (t.snoozed_until IS NULL OR t.snoozed_until <= ?1)
            ),
            p.reason, p.until_on,
            (
                SELECT json_group_array(json_object('minor', a.outstanding_minor, 'currency', a.currency))
                FROM arrears AS a
                WHERE a.customer_key = p.customer_key AND a.outstanding_minor > 0
            )
        )
    )
FROM (
    SELECT * FROM page
    WHERE (-gravity, -most, customer_key) > (-?2, -?3, ?4)
    ORDER BY gravity DESC, most DESC, customer_key
    LIMIT ?5
) AS p
CROSS JOIN customer AS c ON c.key = p.customer_key
