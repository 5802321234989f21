-- ?1: id of a customer, ?2: today, ?3: now, ?4: the time zone in which that is today, ?5: currency and ?6: amount that are
-- asked for, ?7: the order that is asked about or null. What a check says of it, where that is kept ready: what counts, the
-- limit and the components.
SELECT r.total_minor, t.bound, t.exposure
FROM customer AS own
CROSS JOIN credit_ready AS r ON r.customer_key = own.key
CROSS JOIN credit_told AS t ON t.customer_key = own.key
WHERE
    own.id = ?1 AND r.as_of = ?2 AND r.until_at > ?3 AND r.currency = ?5 AND r.room_minor >= ?6
    AND r.generation = (SELECT g.number FROM credit_generation AS g WHERE g.one = 1)
    AND EXISTS (SELECT 1 FROM organisation AS us WHERE us.one = 1 AND us.time_zone = ?4)
    -- An order that is known may be in what counts already, or wait.
    AND NOT EXISTS (SELECT 1 FROM credit_order AS o WHERE o.id = ?7)
    AND NOT EXISTS (
        SELECT 1 FROM credit_reservation AS v
        WHERE v.customer_key = own.key AND v.until_at > ?3 AND coalesce(v.order_id, v.id) = ?7
    )
    AND NOT EXISTS (
        SELECT 1 FROM credit_hold AS h
        WHERE h.customer_key = own.key AND h.order_id = ?7 AND h.state = 'held' AND h.minor IS NOT NULL
    )
