-- ?1: before this key, ?2: at most so many, ?3: customer or null, ?4: state or null, ?5: only these ids, as a JSON array, or null.
-- Gives [key, the contract's limit], newest first.
WITH
wanted AS (
    SELECT l.* FROM customer AS c CROSS JOIN credit_limit AS l ON l.customer_key = c.key
    WHERE c.id = ?3 AND ?5 IS NULL AND l.key < ?1
    UNION ALL
    SELECT * FROM credit_limit WHERE ?3 IS NULL AND ?4 = 'pending' AND ?5 IS NULL AND state = 'pending' AND key < ?1
    UNION ALL
    SELECT * FROM credit_limit WHERE ?3 IS NULL AND ?4 IS NOT 'pending' AND ?5 IS NULL AND key < ?1
    UNION ALL
    SELECT named.* FROM json_each(?5) AS wanted_id CROSS JOIN credit_limit AS named ON named.id = wanted_id.value
),
page AS (SELECT * FROM wanted WHERE ?4 IS NULL OR state = ?4 ORDER BY key DESC LIMIT ?2)
SELECT
    json_group_array(
        json_array(
            page.key,
            json_object(
                'id', page.id, 'customer', c.id, 'kind', page.kind, 'minor', page.minor, 'currency', page.currency,
                'from', page.from_on, 'to', page.to_on, 'unlimited', json(iif(page.unlimited, 'true', 'false')),
                'mandatory', json(iif(page.mandatory, 'true', 'false')), 'reason', page.reason, 'state', page.state,
                'source', page.source, 'asked_by', page.asked_by,
                'asked_at', (SELECT a.at FROM audit AS a WHERE a.key = page.entry_key), 'decided_by', page.decided_by,
                'decided_at', (SELECT a.at FROM audit AS a WHERE a.key = page.decided_entry_key)
            )
        )
        ORDER BY page.key DESC
    )
FROM page CROSS JOIN customer AS c ON c.key = page.customer_key
