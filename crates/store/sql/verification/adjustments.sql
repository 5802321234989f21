-- Gives [broken, ids] for write-offs and upheld disputes that took off more than they say, or less than nothing. A void
-- takes off whatever is open.
WITH
used AS (
    SELECT adjustment_key AS key, sum(amount_minor) AS minor
    FROM allocation
    WHERE adjustment_key IS NOT NULL
    GROUP BY adjustment_key
),
broken AS (
    SELECT d.id, row_number() OVER (ORDER BY d.id) AS place
    FROM used AS u CROSS JOIN adjustment AS d ON d.key = u.key
    WHERE u.minor < 0 OR (u.minor > d.minor AND d.difference <> 'voided')
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
