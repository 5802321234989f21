-- ?1: now, ?2: at most so many. Gives [source, id] of the events that are due to be tried again, the longest due first.
SELECT json_group_array(json_array(name, id))
FROM (
    SELECT s.name, e.id
    FROM inbound_event AS e
    CROSS JOIN event_source AS s ON s.key = e.source_key
    WHERE e.next_try_at IS NOT NULL AND e.next_try_at <= ?1
    ORDER BY e.next_try_at, e.key
    LIMIT ?2
)
