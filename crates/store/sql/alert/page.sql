-- ?1, ?2: before this day and key, ?3: at most so many, ?4: state or null, ?5: customer or null, ?6: the day.
-- An alert that was closed after the day was open on it.
WITH
-- Everybody's in the order of their days, or one customer's: each from its own index.
wanted AS (
    SELECT * FROM alert WHERE ?5 IS NULL AND (opened_on, key) < (?1, ?2)
    UNION ALL
    SELECT t.* FROM customer AS c CROSS JOIN alert AS t ON t.customer_key = c.key
    WHERE c.id = ?5 AND (t.opened_on, t.key) < (?1, ?2)
),
page AS (
    SELECT *, CASE WHEN closed_on IS NULL OR closed_on > ?6 THEN 'open' ELSE 'closed' END AS state_then
    FROM wanted
    WHERE
        opened_on <= ?6
        AND (?4 IS NULL OR ?4 = CASE WHEN closed_on IS NULL OR closed_on > ?6 THEN 'open' ELSE 'closed' END)
    ORDER BY opened_on DESC, key DESC
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            page.opened_on, page.key, page.id, c.id, c.name, page.kind, page.state_then,
            CASE WHEN page.closed_on <= ?6 THEN page.closed_on END, page.currency, json(page.evidence)
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
