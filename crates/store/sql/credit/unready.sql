-- ?1: today, ?2: now, ?3: how many at the most. Customers for whom nothing is kept ready that still holds, those first who
-- were looked at longest ago, so that everybody's turn comes.
SELECT json_group_array(q.key)
FROM (
    SELECT c.key FROM customer AS c
    LEFT JOIN credit_ready AS r ON r.customer_key = c.key
    WHERE
        r.customer_key IS NULL OR r.as_of <> ?1 OR r.until_at <= ?2
        OR r.generation <> (SELECT g.number FROM credit_generation AS g WHERE g.one = 1)
        OR EXISTS (
            SELECT 1 FROM credit_reservation AS v
            WHERE v.customer_key = c.key AND v.until_at > ?2 AND v.entry_key > r.entries_upto
        )
    ORDER BY r.entries_upto
    LIMIT ?3
) AS q
