-- ?1: after this id, ?2: at most so many, ?3: customer or null, ?4: only this id when given, ?5: the day,
-- ?6: the last audit entry that was known. Its end before the planned one is null where it was not known then or had not
-- come.
-- Gives [id, customer_id, invoice_id, from_on, to_on, resumed_on, reason]; the customer only where it is for all.
WITH
wanted AS (
    SELECT * FROM pause WHERE ?3 IS NULL AND ?4 IS NULL AND id > ?1
    UNION ALL
    SELECT p.* FROM customer AS c CROSS JOIN pause AS p ON p.customer_key = c.key
    WHERE c.id = ?3 AND ?4 IS NULL AND p.id > ?1
    UNION ALL
    SELECT * FROM pause WHERE id = ?4
),
page AS (
    SELECT
        *,
        CASE
            WHEN coalesce(resumed_entry_key, 0) <= ?6 THEN resumed_on
            ELSE (
                SELECT f.resumed_on FROM pause_former AS f WHERE f.pause_key = wanted.key AND f.entry_key <= ?6
                ORDER BY f.entry_key DESC LIMIT 1
            )
        END AS ended_on
    FROM wanted
    WHERE from_on <= ?5 AND coalesce(entry_key, 0) <= ?6
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            page.id, CASE WHEN page.invoice_key IS NULL THEN c.id END, i.id, page.from_on, page.to_on,
            CASE WHEN page.ended_on <= ?5 THEN page.ended_on END, page.reason
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
LEFT JOIN invoice AS i ON i.key = page.invoice_key
