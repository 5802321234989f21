-- ?1: rows as [account, currency, day]; ?2: how many statements before the day are looked at. Gives [[account, currency,
-- key, id, format, to_on, opening_minor, closing_minor, sequence, gap], ...] in the order of the days.
SELECT
    json_group_array(
        json_array(
            own_account, currency, key, id, format, to_on, opening_minor, closing_minor, sequence, json(gap)
        )
    )
FROM (
    SELECT s.*
    FROM json_each(?1) AS j
    CROSS JOIN bank_statement AS s
        ON s.own_account = j.value ->> 0
        AND s.to_on >= coalesce(
            (
                SELECT b.to_on FROM bank_statement AS b
                WHERE b.own_account = j.value ->> 0 AND b.to_on < j.value ->> 2 AND b.currency = j.value ->> 1
                ORDER BY b.to_on DESC
                LIMIT 1 OFFSET ?2
            ),
            ''
        )
    WHERE s.currency = j.value ->> 1
    ORDER BY s.own_account, s.currency, s.to_on, s.key
)
