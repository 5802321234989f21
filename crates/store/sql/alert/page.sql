-- ?1, ?2: before this day and key, ?3: at most so many, ?4: state or null, ?5: customer or null, ?6: the day,
-- ?7: severity or null, ?8: owner or null, ?9: rule or null, ?10: kind or null.
-- An alert that was closed after the day was open on it, and one that was snoozed by the day until a later one was
-- snoozed on it. Severity and owner are those of the day.
WITH
-- Everybody's in the order of their days, or one customer's: each from its own index.
wanted AS (
    SELECT * FROM alert WHERE ?5 IS NULL AND (opened_on, key) < (?1, ?2)
    UNION ALL
    SELECT t.* FROM customer AS c CROSS JOIN alert AS t ON t.customer_key = c.key
    WHERE c.id = ?5 AND (t.opened_on, t.key) < (?1, ?2)
),
stood AS (
    SELECT
        w.*,
        CASE
            WHEN w.behind_rule IS NULL THEN CASE WHEN w.closed_on <= ?6 THEN w.closed_on END
            WHEN w.ended_on <= ?6 THEN w.ended_on
        END AS closed_then,
        CASE
            WHEN w.snoozed_until IS NOT NULL THEN (
                SELECT x.until_on FROM alert_action AS x
                WHERE x.alert_key = w.key AND x.action = 'snooze' AND x.day <= ?6
                ORDER BY x.key DESC LIMIT 1
            )
        END AS snoozed_then,
        CASE
            WHEN w.escalated = 0 THEN w.severity
            ELSE
                coalesce(
                    (
                        SELECT x.severity FROM alert_action AS x
                        WHERE x.alert_key = w.key AND x.action = 'escalate' AND x.day <= ?6
                        ORDER BY x.key DESC LIMIT 1
                    ), w.opened_severity, w.severity
                )
        END AS severity_then,
        CASE
            WHEN w.escalated = 0 AND w.assigned = 0 THEN w.owner
            ELSE
                coalesce(
                    (
                        SELECT x.owner FROM alert_action AS x
                        WHERE x.alert_key = w.key AND x.owner IS NOT NULL AND x.day <= ?6
                        ORDER BY x.key DESC LIMIT 1
                    ), w.opened_owner
                )
        END AS owner_then
    FROM wanted AS w
    WHERE
        w.opened_on <= ?6 AND (?9 IS NULL OR w.rule = ?9) AND (?10 IS NULL OR w.kind = ?10)
),
told AS (
    SELECT
        *,
        CASE
            WHEN closed_then IS NOT NULL THEN 'closed'
            WHEN behind_rule IS NOT NULL AND closed_on <= ?6 THEN 'behind'
            WHEN snoozed_then > ?6 THEN 'snoozed'
            ELSE 'open'
        END AS state
    FROM stood
),
page AS (
    SELECT *
    FROM told
    WHERE
        (?4 IS NULL OR state = ?4) AND (?7 IS NULL OR severity_then = ?7) AND (?8 IS NULL OR owner_then = ?8)
    ORDER BY opened_on DESC, key DESC
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            json_array(p.opened_on, p.key),
            json_array(p.id, c.id, p.rule, p.version, p.kind, p.state, p.severity_then, p.owner_then),
            json_array(
                p.closed_then, CASE WHEN p.closed_then IS NOT NULL THEN p.closed_by END,
                CASE WHEN p.closed_then IS NOT NULL THEN p.closed_because END,
                CASE WHEN p.state = 'snoozed' THEN p.snoozed_then END
            ),
            p.currency, json(p.evidence),
            (
                SELECT
                    json_group_array(
                        json_array(b.id, b.rule, b.version, b.severity, b.currency, json(b.evidence))
                        ORDER BY
                            CASE b.severity WHEN 'critical' THEN 0 WHEN 'serious' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END,
                            b.key
                    )
                FROM alert AS b
                WHERE
                    b.customer_key = p.customer_key AND p.state IN ('open', 'snoozed') AND b.behind_rule = p.rule
                    AND b.behind_currency = p.currency AND b.closed_on <= ?6
                    AND (b.ended_on IS NULL OR b.ended_on > ?6)
            )
        )
    )
FROM page AS p
CROSS JOIN customer AS c ON c.key = p.customer_key
