-- ?1: id of a default.
-- Gives [[state, closed_on, cured_by, reason]] of all that was said of its end, the latest last.
WITH
said AS (
    SELECT f.state, f.closed_on, f.cured_by_key, f.entry_key
    FROM default_record AS d CROSS JOIN default_former AS f ON f.default_key = d.key
    WHERE d.id = ?1
    UNION ALL
    SELECT state, closed_on, cured_by_key, coalesce(closed_entry_key, 0) FROM default_record WHERE id = ?1
)
SELECT
    json_group_array(
        json_array(
            s.state, s.closed_on, (SELECT p.id FROM payment AS p WHERE p.key = s.cured_by_key),
            (SELECT a.change ->> '$.after.reason' FROM audit AS a WHERE a.key = s.entry_key AND a.id = ?1)
        )
        ORDER BY s.entry_key
    )
FROM said AS s
