-- ?1: customers as rows [key, currency, room, total], the last three null where each check looks by itself, ?2: today,
-- ?3: now. Notes that they were looked at.
INSERT INTO credit_ready (
    customer_key, as_of, until_at, generation, currency, room_minor, total_minor, entries_upto
)
SELECT
    j.value ->> 0, ?2,
    coalesce(
        (SELECT min(v.until_at) FROM credit_reservation AS v WHERE v.customer_key = j.value ->> 0 AND v.until_at > ?3),
        '9999-12-31T00:00:00Z'
    ),
    (SELECT g.number FROM credit_generation AS g WHERE g.one = 1),
    j.value ->> 1, j.value ->> 2, j.value ->> 3, (SELECT coalesce(max(a.key), 0) FROM audit AS a)
FROM json_each(?1) AS j
WHERE true
ON CONFLICT (customer_key) DO UPDATE SET
    as_of = excluded.as_of, until_at = excluded.until_at, generation = excluded.generation, currency = excluded.currency,
    room_minor = excluded.room_minor, total_minor = excluded.total_minor, entries_upto = excluded.entries_upto
