-- ?1: the customer that goes, ?2: the one that stays, ?3: the head of its group or itself, ?4: the day.
-- Gives [id or null, whose, new-limit] of each limit that goes along in the order in which they count: those of the
-- one that goes where the one that stays, or its head for the group's, has none. Without an id: that of its record.
-- Nobody becomes unlimited by it.
WITH
place (is_group, key) AS (VALUES (0, ?2), (1, ?3)),
heir AS MATERIALIZED (
    SELECT place.is_group, place.key
    FROM place CROSS JOIN customer AS c ON c.key = place.key
    WHERE
        c.limit_minor IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM credit_limit AS l
            WHERE l.customer_key = place.key AND l.counts_key > 0 AND (l.kind = 'group') = place.is_group
        )
        AND NOT EXISTS (
            SELECT 1 FROM credit_limit AS l
            WHERE
                l.customer_key = ?1 AND l.counts_key > 0 AND (l.kind = 'group') = place.is_group
                AND l.unlimited = 1 AND coalesce(l.to_on, ?4) >= ?4
        )
),
moved AS (
    SELECT
        l.id, heir.key, l.kind, l.minor, l.currency, l.from_on, l.to_on, l.mandatory, l.reason, l.counts_key,
        l.key AS place
    FROM heir CROSS JOIN credit_limit AS l ON l.customer_key = ?1
    WHERE l.counts_key > 0 AND (l.kind = 'group') = heir.is_group
    UNION ALL
    SELECT
        NULL, heir.key, iif(heir.is_group, 'group', 'individual'), c.limit_minor, c.limit_currency, ?4, NULL, 0, NULL, 0, 0
    FROM heir CROSS JOIN customer AS c ON c.key = ?1
    WHERE
        c.limit_minor IS NOT NULL
        AND (heir.is_group = 0 OR EXISTS (SELECT 1 FROM customer AS m WHERE m.parent_key = ?1))
        AND NOT EXISTS (
            SELECT 1 FROM credit_limit AS l
            WHERE
                l.customer_key = ?1 AND l.counts_key > 0 AND l.from_on <= ?4
                AND l.kind = iif(heir.is_group, 'group', 'individual')
        )
)
SELECT
    json_group_array(
        json_array(
            id, key, json_object(
                'kind', kind, 'minor', minor, 'currency', currency, 'from', from_on, 'to', to_on,
                'unlimited', json('false'), 'mandatory', json(iif(mandatory, 'true', 'false')), 'reason', reason
            )
        )
        ORDER BY counts_key, place
    )
FROM moved
