-- ?1: after this id, ?2: at most so many, ?3: customer or null, ?4: only this id when given, ?5: open, resolved or null.
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
page AS (
    SELECT * FROM wanted
    WHERE ?5 IS NULL OR (outcome IS NULL) = (?5 = 'open')
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
            json_array(page.outcome, page.resolved_on, page.upheld_minor, page.resolution)
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
CROSS JOIN invoice AS i ON i.key = page.invoice_key
