-- ?1: after this id, ?2: at most so many, ?3: only this id when given, ?4: the last audit entry that was known.
-- Gives [key, the contract's customer without balances].
WITH
page AS (
    SELECT * FROM customer WHERE ?3 IS NULL AND id > ?1 AND coalesce(entry_key, 0) <= ?4
    UNION ALL
    SELECT * FROM customer WHERE id = ?3 AND coalesce(entry_key, 0) <= ?4
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            c.key,
            json_object(
                'id', c.id, 'name', c.name, 'country', c.country, 'currency', c.currency, 'language', c.language,
                'time_zone', c.time_zone, 'email', c.email, 'phone', c.phone,
                'credit_limit',
                json(iif(c.limit_minor IS NULL, NULL, json_object('minor', c.limit_minor, 'currency', c.limit_currency))),
                'parent_id', p.id, 'status', c.status, 'segment', c.segment, 'industry', c.industry,
                'tags', json(c.tags), 'contacts', json(c.contacts), 'representatives', json(c.representatives),
                'bank_accounts', json(c.bank_accounts), 'merged_into', m.id, 'balances', json('[]')
            )
        )
    )
FROM page AS c
LEFT JOIN customer AS p ON p.key = c.parent_key
LEFT JOIN customer AS m ON m.key = c.merged_key
