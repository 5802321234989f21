-- ?1: now, ?2: at most so many. Gives [source, id] of the events that are due to be tried again: those whose record has come, then
-- the longest due.
WITH
-- What each waits for was not there when it was refused.
come AS (
    SELECT e.key, e.source_key, e.id, '' AS since
    FROM inbound_event AS e
    WHERE
        e.awaits IS NOT NULL
        AND CASE e.awaits
            WHEN 'customer' THEN EXISTS (SELECT 1 FROM customer AS c WHERE c.id = e.awaits_id)
            WHEN 'invoice' THEN EXISTS (SELECT 1 FROM invoice AS i WHERE i.id = e.awaits_id)
            WHEN 'payment'
                THEN
                    EXISTS (SELECT 1 FROM payment AS p WHERE p.id = e.awaits_id)
                    OR EXISTS (SELECT 1 FROM payment_name AS n WHERE n.id = e.awaits_id)
            ELSE EXISTS (SELECT 1 FROM contract AS t WHERE t.id = e.awaits_id)
        END
    LIMIT ?2
),
overdue AS (
    SELECT e.key, e.source_key, e.id, e.next_try_at AS since
    FROM inbound_event AS e
    WHERE e.next_try_at IS NOT NULL AND e.next_try_at <= ?1
    ORDER BY e.next_try_at, e.key
    LIMIT ?2
)
SELECT json_group_array(json_array(name, id))
FROM (
    SELECT s.name, e.id
    FROM (
        SELECT key, source_key, id, min(since) AS since
        FROM (SELECT * FROM come UNION ALL SELECT * FROM overdue)
        GROUP BY key
    ) AS e
    CROSS JOIN event_source AS s ON s.key = e.source_key
    ORDER BY e.since, e.key
    LIMIT ?2
)
