-- ?1: the day, ?2: after this id, ?3: at most so many, ?4: only of this customer, ?5: only what ends before this day,
-- ?6 and ?7: only what has a milestone from the one to the other, ?8: only this id. Null is no such condition.
-- ?9: the last audit entry that was known.
-- Gives [version_key, contract_key, customer_key, the contract's contract] in the version in force on the day.
WITH
asked AS (
    SELECT * FROM contract WHERE ?4 IS NULL AND ?8 IS NULL AND id > ?2
    UNION ALL
    SELECT * FROM contract WHERE customer_key = ?4 AND id > ?2
    UNION ALL
    SELECT * FROM contract WHERE id = ?8
),
page AS (
    SELECT v.*, c.id, c.customer_key
    FROM asked AS c
    CROSS JOIN contract_version AS v ON v.key = (
        SELECT w.key FROM contract_version AS w
        WHERE w.contract_key = c.key AND w.effective_on <= ?1 AND coalesce(w.entry_key, 0) <= ?9
        ORDER BY w.effective_on DESC, w.version DESC
        LIMIT 1
    )
    WHERE
        (v.ends_on IS NULL OR v.ends_on >= ?1)
        AND (?5 IS NULL OR v.ends_on < ?5)
        AND (
            (?6 IS NULL AND ?7 IS NULL)
            OR EXISTS (
                SELECT 1 FROM json_each(v.document, '$.milestones') AS m
                WHERE m.value ->> '$.on' >= coalesce(?6, '') AND m.value ->> '$.on' <= coalesce(?7, '9')
            )
        )
    ORDER BY c.id
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            page.key, page.contract_key, page.customer_key,
            json_patch(
                page.document,
                json_object(
                    'id', page.id, 'customer_id', customer.id, 'version', page.version,
                    'secured', json(iif(page.secured, 'true', 'false')), 'recorded_at', page.recorded_at
                )
            )
        )
    )
FROM page
CROSS JOIN customer ON customer.key = page.customer_key
