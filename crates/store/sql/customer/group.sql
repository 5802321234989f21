-- ?1: the key of a head, ?2: the day, ?3: the last audit entry that was known.
-- Gives the keys of its group: the head, and whoever named it as parent in the record of the day as known then.
WITH
candidate AS (
    SELECT ?1 AS key
    UNION
    SELECT key FROM customer WHERE parent_key = ?1
    UNION
    SELECT customer_key FROM customer_former WHERE parent_key = ?1
)
SELECT json_group_array(c.key)
FROM candidate
CROSS JOIN customer AS c ON c.key = candidate.key
LEFT JOIN customer_former AS f ON f.key = (
    SELECT min(e.key) FROM customer_former AS e
    WHERE
        e.customer_key = c.key
        AND (
            e.entry_key > ?3
            OR NOT EXISTS (
                SELECT 1 FROM customer_former AS l
                WHERE l.customer_key = e.customer_key AND l.key >= e.key AND l.entry_key <= ?3 AND l.replaced_on <= ?2
            )
        )
)
WHERE
    c.key = ?1
    OR (coalesce(c.entry_key, 0) <= ?3 AND iif(f.key IS NULL, c.parent_key, f.parent_key) = ?1)
