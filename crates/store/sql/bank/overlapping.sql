-- ?1: rows as [account, first, last]; ?2: the last key before this file. Gives [[account, currency, format, key, id,
-- entries], ...]: statements of these accounts that may have entries of these days.
SELECT json_group_array(json_array(account, currency, format, key, id, entries))
FROM (
    SELECT DISTINCT s.account, s.currency, s.format, s.key, s.id, s.entries
    FROM json_each(?1) AS j
    CROSS JOIN bank_statement AS s ON s.account = j.value ->> 0 AND s.to_on >= j.value ->> 1
    WHERE s.key <= ?2 AND s.entries > 0 AND coalesce(s.first_on, s.from_on, '') <= j.value ->> 2
    ORDER BY s.key
)
