-- ?1: the customer, ?2: the kind, ?3: the day, ?4: only this name, or null, ?5 and ?6: before this day and name, ?7: at
-- most so many.
-- Gives [day, name, the record as JSON] as each was known on the day, the latest first; what was withdrawn is left out.
-- After a merge the record is that of the customer who stayed.
WITH
known AS (
    SELECT name, happened_on, document, max(known_on) AS known_on
    FROM external_fact
    WHERE customer_key = ?1 AND kind = ?2 AND known_on <= ?3 AND (?4 IS NULL OR name = ?4)
    GROUP BY name
)
SELECT
    json_group_array(
        json_array(
            happened_on, name,
            json_set(document, '$.customer_id', (SELECT c.id FROM customer AS c WHERE c.key = ?1))
        )
    )
FROM (
    SELECT happened_on, name, document
    FROM known
    WHERE coalesce(document ->> 'withdrawn', 0) = 0 AND (happened_on, name) < (?5, ?6)
    ORDER BY happened_on DESC, name DESC
    LIMIT ?7
)
