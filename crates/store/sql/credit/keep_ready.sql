-- ?1 to ?7: as in credit/ready.sql, ?8: id of the check, ?9: members of a JSON object that say what was asked, ?10: 1 to say
-- what was found. Keeps a check that passes by what is kept ready, and says whose it is.
INSERT INTO credit_check (id, customer_key, at, verdict, inputs)
SELECT
    ?8, own.key, ?3, 'pass',
    '{' || ?9 || ',"ready":[' || r.total_minor || ',' || coalesce(t.bound, 'null') || ',' || t.exposure || ']}'
FROM customer AS own
CROSS JOIN credit_ready AS r ON r.customer_key = own.key
CROSS JOIN credit_told AS t ON t.customer_key = own.key
WHERE
    own.id = ?1 AND r.as_of = ?2 AND r.until_at > ?3 AND r.currency = ?5 AND r.room_minor >= ?6
    AND r.generation = (SELECT g.number FROM credit_generation AS g WHERE g.one = 1)
    AND EXISTS (SELECT 1 FROM organisation AS us WHERE us.one = 1 AND us.time_zone = ?4)
    AND NOT EXISTS (SELECT 1 FROM credit_order AS o WHERE o.id = ?7)
    AND NOT EXISTS (
        SELECT 1 FROM credit_reservation AS v
        WHERE v.customer_key = own.key AND v.until_at > ?3 AND coalesce(v.order_id, v.id) = ?7
    )
    AND NOT EXISTS (
        SELECT 1 FROM credit_hold AS h
        WHERE h.customer_key = own.key AND h.order_id = ?7 AND h.state = 'held' AND h.minor IS NOT NULL
    )
RETURNING
    customer_key,
    iif(?10 = 1, (SELECT r.total_minor FROM credit_ready AS r WHERE r.customer_key = credit_check.customer_key), NULL),
    iif(?10 = 1, (SELECT t.bound FROM credit_told AS t WHERE t.customer_key = credit_check.customer_key), NULL),
    iif(?10 = 1, (SELECT t.exposure FROM credit_told AS t WHERE t.customer_key = credit_check.customer_key), NULL)
