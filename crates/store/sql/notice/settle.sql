-- ?1: [key, state, next_attempt_at].
UPDATE notice
SET state = j.state, next_attempt_at = j.next_attempt_at
FROM (
    SELECT value ->> 0 AS key, value ->> 1 AS state, value ->> 2 AS next_attempt_at FROM json_each(?1)
) AS j
WHERE notice.key = j.key AND notice.state = 'queued'
