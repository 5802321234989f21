-- ?1, ?2: before this day and key, ?3: at most so many, ?4: state or null, ?5: customer or null, ?6: id or null.
WITH
-- Everybody's in the order of their days, one customer's, or one notice: each from its own index.
wanted AS (
    SELECT * FROM notice WHERE ?5 IS NULL AND ?6 IS NULL AND (day, key) < (?1, ?2)
    UNION ALL
    SELECT n.* FROM customer AS c CROSS JOIN notice AS n ON n.customer_key = c.key
    WHERE c.id = ?5 AND ?6 IS NULL AND (n.day, n.key) < (?1, ?2)
    UNION ALL
    SELECT n.* FROM notice AS n CROSS JOIN customer AS c ON c.key = n.customer_key
    WHERE n.id = ?6 AND (?5 IS NULL OR c.id = ?5) AND (n.day, n.key) < (?1, ?2)
),
page AS (
    SELECT * FROM wanted WHERE ?4 IS NULL OR state = ?4
    ORDER BY day DESC, key DESC
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            json_array(page.day, page.key, page.id, c.id, page.currency, page.level, page.language),
            json_array(
                page.subject, page.body, page.total_minor, page.because, page.state, page.attempts,
                page.next_attempt_at,
                (
                    SELECT json_group_array(json_array(i.id, x.due_on, x.open_minor))
                    FROM (SELECT * FROM notice_item WHERE notice_key = page.key ORDER BY due_on, invoice_key) AS x
                    CROSS JOIN invoice AS i ON i.key = x.invoice_key
                )
            )
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
