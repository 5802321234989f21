-- ?1: after this id, ?2: at most so many, ?3: customer or null, ?4: only this id when given, ?5: state or null.
-- Gives [[id, customer_id, contract_id, invoice_id, amount, currency, found_on, kind],
-- [reason, evidence, by_rule, state, closed_on, cured_by]].
WITH
wanted AS (
    SELECT * FROM default_record WHERE ?3 IS NULL AND ?4 IS NULL AND id > ?1
    UNION ALL
    SELECT d.* FROM customer AS c CROSS JOIN default_record AS d ON d.customer_key = c.key
    WHERE c.id = ?3 AND ?4 IS NULL AND d.id > ?1
    UNION ALL
    SELECT * FROM default_record WHERE id = ?4
),
page AS (
    SELECT * FROM wanted
    WHERE ?5 IS NULL OR state = ?5
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            json_array(
                page.id, c.id, k.id, i.id, page.amount_minor, page.currency, page.found_on, page.kind
            ),
            json_array(page.reason, json(page.evidence), page.by_rule, page.state, page.closed_on, p.id)
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
LEFT JOIN contract AS k ON k.key = page.contract_key
LEFT JOIN invoice AS i ON i.key = page.invoice_key
LEFT JOIN payment AS p ON p.key = page.cured_by_key
