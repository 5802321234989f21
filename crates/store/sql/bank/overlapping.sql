-- ?1: rows as [account, first, last]; ?2: the last key before this file. Gives [[account, currency, format, key, id,
-- entries, sequence, opening_minor, closing_minor], ...]: statements of these accounts that may have entries of these
-- days, and those without any that stand between them.
SELECT
    json_group_array(
        json_array(own_account, currency, format, key, id, entries, sequence, opening_minor, closing_minor)
    )
FROM (
    SELECT DISTINCT
        s.own_account, s.currency, s.format, s.key, s.id, s.entries, s.sequence, s.opening_minor, s.closing_minor
    FROM json_each(?1) AS j
    CROSS JOIN bank_statement AS s ON s.own_account = j.value ->> 0 AND s.to_on >= j.value ->> 1
    WHERE s.key <= ?2 AND coalesce(s.first_on, s.from_on, '') <= j.value ->> 2
    ORDER BY s.key
)
