-- ?1: now, ?2: at most so many, ?3: when another may claim them if this one dies.
-- Of each customer only the oldest that waits, so that its notices arrive in the order they were written.
UPDATE notice
SET attempts = attempts + 1, next_attempt_at = ?3
WHERE key IN (
    SELECT n.key
    FROM notice AS n
    WHERE
        n.state = 'queued' AND n.next_attempt_at <= ?1
        AND NOT EXISTS (
            SELECT 1 FROM notice AS o
            WHERE o.customer_key = n.customer_key AND o.state = 'queued' AND o.key < n.key
        )
    ORDER BY n.next_attempt_at, n.key
    LIMIT ?2
)
RETURNING key, id, attempts
