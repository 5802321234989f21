-- ?1: the customer's id, ?2: the day, ?3: the model of the card that ships with Dunlin.
-- Gives what the day's sweep found when nothing was recorded since, or else what a run of the day found after it: the model,
-- the facts, and the document of the card, null for the one that ships. What a group owes changes by what its other members
-- do, so that whoever is in one is not here.
SELECT coalesce(k.name || '@' || k.version, ?3), iif(o.customer_key IS NULL, s.facts, o.facts), k.document
FROM customer AS c
CROSS JOIN score AS s ON s.customer_key = c.key
LEFT JOIN score_outdated AS o ON o.customer_key = c.key
LEFT JOIN card AS k ON k.key = (
    SELECT n.key FROM card AS n
    WHERE n.valid_from <= ?2 AND (n.segment IS NULL OR n.segment = c.segment)
    ORDER BY n.segment IS NULL, n.valid_from DESC, n.key DESC
    LIMIT 1
)
WHERE
    c.id = ?1
    AND CASE
        WHEN o.customer_key IS NULL THEN s.as_of = ?2 AND s.model = coalesce(k.name || '@' || k.version, ?3)
        ELSE o.as_of = ?2 AND o.facts IS NOT NULL
    END
    AND c.parent_key IS NULL AND c.merged_key IS NULL
    AND NOT EXISTS (SELECT 1 FROM customer AS m WHERE m.parent_key = c.key)
