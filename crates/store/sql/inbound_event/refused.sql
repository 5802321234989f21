-- ?1: the source, ?2: not tried again since this moment, ?3: at most so many. Gives [source, id] of refused events that still
-- have their bodies, the longest untried first.
SELECT json_group_array(json_array(name, id))
FROM (
    SELECT s.name, e.id
    FROM inbound_event AS e
    CROSS JOIN event_source AS s ON s.key = e.source_key
    WHERE
        e.source_key = ?1 AND e.state = 'refused' AND e.body IS NOT NULL
        AND (e.tries < 2 OR e.tried_at < ?2)
    ORDER BY coalesce(e.tried_at, e.received_at), e.key
    LIMIT ?3
)
