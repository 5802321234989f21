-- ?1: customer, ?2: the last audit entry that was known.
-- Gives the contract's limit of each that waited for a second key then, newest first.
SELECT
    json_group_array(
        json_object(
            'id', l.id, 'customer', c.id, 'kind', l.kind, 'minor', l.minor, 'currency', l.currency, 'from', l.from_on,
            'to', l.to_on, 'unlimited', json(iif(l.unlimited, 'true', 'false')),
            'mandatory', json(iif(l.mandatory, 'true', 'false')), 'reason', l.reason, 'state', 'pending',
            'source', l.source, 'asked_by', l.asked_by,
            'asked_at', (SELECT a.at FROM audit AS a WHERE a.key = l.entry_key), 'decided_by', NULL, 'decided_at', NULL
        )
        ORDER BY l.key DESC
    )
FROM customer AS c
CROSS JOIN credit_limit AS l ON l.customer_key = c.key
WHERE
    c.id = ?1 AND l.entry_key <= ?2
    AND (l.state = 'pending' OR (l.decided_by IS NOT NULL AND coalesce(l.decided_entry_key, l.counts_key, 0) > ?2))
