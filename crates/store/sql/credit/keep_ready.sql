-- ?1 to ?7: as in credit/ready.sql, ?8: id of the check, ?9: members of a JSON object that say what was asked, ?10: the
-- reservation that is asked for or null, which must be new. ?11: 1 to say what was found. Keeps a check that passes by what is
-- kept ready, and says its id and whose it is. Of several questions the first query reads them from JSON.
INSERT INTO credit_check (id, customer_key, at, verdict, inputs)
WITH asked (place, customer, today, now, zone, currency, minor, order_id, check_id, question, reservation) AS (
    SELECT 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
)
SELECT
    asked.check_id, own.key, asked.now, 'pass',
    '{' || asked.question || ',"ready":[' || r.total_minor || ',' || coalesce(t.bound, 'null') || ',' || t.exposure || ']}'
FROM asked
CROSS JOIN customer AS own ON own.id = asked.customer
CROSS JOIN credit_ready AS r ON r.customer_key = own.key
CROSS JOIN credit_told AS t ON t.customer_key = own.key
WHERE
    r.as_of = asked.today AND r.until_at > asked.now AND r.currency = asked.currency AND r.room_minor >= asked.minor
    AND r.generation = (SELECT g.number FROM credit_generation AS g WHERE g.one = 1)
    AND EXISTS (SELECT 1 FROM organisation AS us WHERE us.one = 1 AND us.time_zone = asked.zone)
    AND NOT EXISTS (SELECT 1 FROM credit_order AS o WHERE o.id = asked.order_id)
    AND NOT EXISTS (
        SELECT 1 FROM credit_reservation AS v
        WHERE
            v.customer_key = own.key AND v.until_at > asked.now
            AND (v.entry_key > r.entries_upto OR coalesce(v.order_id, v.id) = asked.order_id)
    )
    AND NOT EXISTS (
        SELECT 1 FROM credit_hold AS h
        WHERE
            h.customer_key = own.key AND h.order_id = asked.order_id AND h.state = 'held' AND h.minor IS NOT NULL
    )
    AND NOT EXISTS (SELECT 1 FROM credit_reservation AS d WHERE d.id = asked.reservation)
RETURNING
    id, customer_key,
    iif(?11 = 1, (SELECT r.total_minor FROM credit_ready AS r WHERE r.customer_key = credit_check.customer_key), NULL),
    iif(?11 = 1, (SELECT t.bound FROM credit_told AS t WHERE t.customer_key = credit_check.customer_key), NULL),
    iif(?11 = 1, (SELECT t.exposure FROM credit_told AS t WHERE t.customer_key = credit_check.customer_key), NULL)
