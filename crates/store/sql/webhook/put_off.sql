-- ?1: [key, next_attempt_at, dead, error] of events that were not taken.
UPDATE webhook_event
SET next_attempt_at = j.next_attempt_at, dead = j.dead, error = j.error
FROM (
    SELECT value ->> 0 AS key, value ->> 1 AS next_attempt_at, value ->> 2 AS dead, value ->> 3 AS error
    FROM json_each(?1)
) AS j
WHERE webhook_event.key = j.key
