-- ?1: the customer that goes, ?2: the one that stays.
-- Gives [key, key of the head of its group or null, limit of the record or null, ledger] of everybody who is in the group of
-- one of them, heads first.
SELECT
    json_group_array(
        json_array(
            c.key, c.parent_key,
            json(iif(c.limit_minor IS NULL, 'null', json_array(c.limit_minor, c.limit_currency))),
            (
                SELECT
                    json_group_array(
                        json_array(
                            l.kind, l.minor, l.currency, l.unlimited, l.mandatory, l.from_on, l.to_on, l.id, l.counts_key
                        )
                        ORDER BY l.key
                    )
                FROM credit_limit AS l
                WHERE l.customer_key = c.key AND l.counts_key > 0
            )
        )
        ORDER BY c.parent_key, c.key
    )
FROM (
    SELECT coalesce(pair.parent_key, pair.key) AS key FROM customer AS pair WHERE pair.key IN (?1, ?2)
    UNION
    SELECT member.key
    FROM customer AS pair
    CROSS JOIN customer AS member ON member.parent_key = coalesce(pair.parent_key, pair.key)
    WHERE pair.key IN (?1, ?2)
) AS near
CROSS JOIN customer AS c ON c.key = near.key
