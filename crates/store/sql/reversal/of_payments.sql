-- ?1: keys of payments as a JSON array, ?2: the last audit entry that was known.
-- Gives [payment_key, id, reversed_on, kind, minor, reason, undone_reason] of what went back of them or of the payments
-- that they are parts of: mistakes first, then the oldest.
SELECT
    json_group_array(
        json_array(
            payment_key, id, reversed_on, kind, minor, reason, iif(undone_entry_key <= ?2, undone_reason, NULL)
        )
    )
FROM (
    SELECT r.*
    FROM (
        SELECT DISTINCT coalesce(p.converted_from_key, p.key) AS key
        FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.key = j.value
    ) AS f
    CROSS JOIN reversal AS r ON r.payment_key = f.key
    WHERE r.entry_key IS NULL OR r.entry_key <= ?2
    ORDER BY r.kind <> 'mistake', r.reversed_on, r.id
)
