-- ?1: the customer that goes, ?2: the one that stays, ?3: the head of its group or itself.
-- Gives [key, limit of the record or null, 1 where it heads a group, ledger] of the one that goes, of the head of its group
-- or itself, of the one that stays and of the head of its group or itself.
SELECT
    json_group_array(
        json_array(
            c.key, json(iif(c.limit_minor IS NULL, 'null', json_array(c.limit_minor, c.limit_currency))),
            EXISTS (SELECT 1 FROM customer AS m WHERE m.parent_key = c.key),
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
        ORDER BY pair.key
    )
FROM json_each(
    json_array(?1, (SELECT coalesce(g.parent_key, g.key) FROM customer AS g WHERE g.key = ?1), ?2, ?3)
) AS pair
CROSS JOIN customer AS c ON c.key = pair.value
