-- ?1, ?2: before this day and key, ?3: at most so many, ?4: state or null, ?5: customer or null, ?6: id or null.
SELECT
    json_group_array(
        json_array(
            json_array(day, key, id, customer_id, currency, level, language),
            json_array(
                subject, body, total_minor, because, state, attempts, next_attempt_at,
                (
                    SELECT json_group_array(json_array(i.id, x.due_on, x.open_minor))
                    FROM (SELECT * FROM notice_item WHERE notice_key = page.key ORDER BY due_on, invoice_key) AS x
                    CROSS JOIN invoice AS i ON i.key = x.invoice_key
                )
            )
        )
    )
FROM (
    SELECT n.*, c.id AS customer_id
    FROM notice AS n
    CROSS JOIN customer AS c ON c.key = n.customer_key
    WHERE
        (n.day, n.key) < (?1, ?2)
        AND (?4 IS NULL OR n.state = ?4) AND (?5 IS NULL OR c.id = ?5) AND (?6 IS NULL OR n.id = ?6)
    ORDER BY n.day DESC, n.key DESC
    LIMIT ?3
) AS page
