-- ?1: id of a customer, ?2: today, ?3: now, ?4: the time zone in which that is today, ?5: currency and ?6: amount that are
-- asked for, ?7: the order that is asked about or null. What a check says of it, where that is kept ready: its place among
-- the questions, what counts, the limit and the components. Of several questions the first query reads them from JSON.
WITH asked (place, customer, today, now, zone, currency, minor, order_id) AS (SELECT 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
SELECT asked.place, r.total_minor, t.bound, t.exposure
FROM asked
CROSS JOIN customer AS own ON own.id = asked.customer
CROSS JOIN credit_ready AS r ON r.customer_key = own.key
CROSS JOIN credit_told AS t ON t.customer_key = own.key
WHERE
    r.as_of = asked.today AND r.until_at > asked.now AND r.currency = asked.currency AND r.room_minor >= asked.minor
    AND r.generation = (SELECT g.number FROM credit_generation AS g WHERE g.one = 1)
    AND EXISTS (SELECT 1 FROM organisation AS us WHERE us.one = 1 AND us.time_zone = asked.zone)
    -- An order that is known may be in what counts already, or wait.
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
