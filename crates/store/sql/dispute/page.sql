-- ?1: after this id, ?2: at most so many, ?3: customer or null, ?4: only this id when given, ?5: open, resolved or null,
-- ?6: the day, ?7: the last audit entry that was known. Its end is null where it had not come or was not known then.
-- Gives [[id, invoice_id, customer_id, opened_on, minor, currency, reason, detail, evidence],
-- [outcome, resolved_on, upheld_minor, resolution]].
WITH
wanted AS (
    SELECT * FROM dispute WHERE ?3 IS NULL AND ?4 IS NULL AND id > ?1
    UNION ALL
    SELECT d.* FROM customer AS c CROSS JOIN dispute AS d ON d.customer_key = c.key
    WHERE c.id = ?3 AND ?4 IS NULL AND d.id > ?1
    UNION ALL
    SELECT * FROM dispute WHERE id = ?4
),
stood AS (
    SELECT *, (outcome IS NOT NULL AND resolved_on <= ?6 AND coalesce(resolved_entry_key, 0) <= ?7) AS ended
    FROM wanted
    WHERE opened_on <= ?6 AND coalesce(entry_key, 0) <= ?7
),
page AS (
    SELECT * FROM stood
    WHERE ?5 IS NULL OR ended = (?5 = 'resolved')
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            json_array(
                page.id, i.id, c.id, page.opened_on, page.minor, i.currency, page.reason, page.detail,
                json(page.evidence)
            ),
            json_array(
                iif(page.ended, page.outcome, NULL), iif(page.ended, page.resolved_on, NULL),
                iif(page.ended, page.upheld_minor, NULL), iif(page.ended, page.resolution, NULL)
            )
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
CROSS JOIN invoice AS i ON i.key = page.invoice_key
