-- ?1: the webhook. Counts its events that do not wait behind a dead letter.
SELECT count(*)
FROM webhook_event AS q
WHERE
    q.webhook_key = ?1 AND q.dead = 0
    AND NOT EXISTS (
        SELECT 1 FROM webhook_event AS o
        WHERE o.webhook_key = q.webhook_key AND o.customer_key = q.customer_key AND o.dead = 1
    )
