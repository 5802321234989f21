-- ?1: after this id, ?2: at most so many, ?3: customer or null, ?4: only this id when given, ?5: state or null, ?6: the day,
-- ?7: the last audit entry that was known. It is open where its end had not come or was not known then.
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
-- An end that was put right later reads as it was said before.
said AS (
    SELECT
        w.id, w.customer_key, w.contract_key, w.invoice_key, w.amount_minor, w.currency, w.found_on, w.kind, w.reason,
        w.evidence, w.by_rule,
        iif(coalesce(w.closed_entry_key, 0) <= ?7, w.state, f.state) AS state,
        iif(coalesce(w.closed_entry_key, 0) <= ?7, w.closed_on, f.closed_on) AS closed_on,
        iif(coalesce(w.closed_entry_key, 0) <= ?7, w.cured_by_key, f.cured_by_key) AS cured_by_key
    FROM wanted AS w
    LEFT JOIN default_former AS f ON f.default_key = w.key AND f.entry_key <= ?7 AND f.until_entry_key > ?7
    WHERE w.found_on <= ?6 AND coalesce(w.entry_key, 0) <= ?7
),
stood AS (
    SELECT *, coalesce(closed_on <= ?6, 0) AS ended
    FROM said
),
page AS (
    SELECT * FROM stood
    WHERE ?5 IS NULL OR iif(ended, state, 'open') = ?5
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            json_array(
                page.id, c.id, k.id, i.id, page.amount_minor, page.currency, page.found_on, page.kind
            ),
            json_array(
                page.reason, json(page.evidence), page.by_rule, iif(page.ended, page.state, 'open'),
                iif(page.ended, page.closed_on, NULL), iif(page.ended, p.id, NULL)
            )
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
LEFT JOIN contract AS k ON k.key = page.contract_key
LEFT JOIN invoice AS i ON i.key = page.invoice_key
LEFT JOIN payment AS p ON p.key = page.cured_by_key
