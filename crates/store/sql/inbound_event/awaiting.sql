-- ?1: the kind of record, ?2: its id, ?3: at most so many. Gives [source, id] of the events that wait for the record, the oldest
-- first.
SELECT json_group_array(json_array(name, id))
FROM (
    SELECT s.name, e.id
    FROM inbound_event AS e
    CROSS JOIN event_source AS s ON s.key = e.source_key
    WHERE e.awaits = ?1 AND e.awaits_id = ?2
    ORDER BY e.key
    LIMIT ?3
)
