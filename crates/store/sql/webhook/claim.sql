-- ?1: now, ?2: at most so many, ?3: when another may claim them if this one dies, ?4: keys of webhooks to leave out.
-- One that was claimed and not settled has been tried and has no error: [`under_way`] finds it by that.
-- Of each customer only the oldest that waits: while that is a dead letter, none. Webhooks take turns, so that none waits
-- for what another has before it.
UPDATE webhook_event
SET attempts = attempts + 1, next_attempt_at = ?3, tried_at = ?1, error = NULL
WHERE key IN (
    SELECT q.key
    FROM webhook_event AS q
    WHERE
        q.dead = 0 AND q.next_attempt_at <= ?1
        AND q.webhook_key NOT IN (SELECT value FROM json_each(?4))
        AND (SELECT w.paused FROM webhook AS w WHERE w.key = q.webhook_key) = 0
        AND NOT EXISTS (
            SELECT 1 FROM webhook_event AS o
            WHERE o.webhook_key = q.webhook_key AND o.customer_key = q.customer_key AND o.key < q.key
        )
    ORDER BY
        row_number() OVER (PARTITION BY q.webhook_key ORDER BY q.next_attempt_at, q.key),
        q.next_attempt_at, q.key
    LIMIT ?2
)
RETURNING key, webhook_key, event_id, attempts, body
