-- ?1: the day, ?2: the last audit entry that was known.
-- Gives [segment, name, version, document] of the card in force for each segment, null for everybody.
SELECT json_group_array(json_array(segment, name, version, json(document)))
FROM (
    SELECT
        segment, name, version, document,
        row_number() OVER (PARTITION BY segment ORDER BY valid_from DESC, key DESC) AS place
    FROM card
    WHERE valid_from <= ?1 AND coalesce(entry_key, 0) <= ?2
)
WHERE place = 1
