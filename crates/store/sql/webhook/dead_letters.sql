-- ?1: the webhook, ?2: after this key, ?3: at most so many.
-- Gives [key, body, attempts, tried_at, error, waiting], oldest first.
SELECT
    json_group_array(
        json_array(
            d.key, json(d.body), d.attempts, d.tried_at, d.error,
            (
                SELECT count(*) FROM webhook_event AS o
                WHERE o.webhook_key = d.webhook_key AND o.customer_key = d.customer_key AND o.key > d.key
            )
        )
    )
FROM (
    SELECT * FROM webhook_event WHERE webhook_key = ?1 AND dead = 1 AND key > ?2 ORDER BY key LIMIT ?3
) AS d
