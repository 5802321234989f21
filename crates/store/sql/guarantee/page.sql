-- ?1: after this id, ?2: at most so many, ?3: only of this customer, ?4: only what is in force on this day,
-- ?5: only this id. Null is no such condition. ?6: the last audit entry that was known: what was replaced later reads as
-- before. Gives the contract's guarantee.
WITH
wanted AS (
    SELECT key FROM guarantee WHERE ?3 IS NULL AND ?5 IS NULL AND id > ?1
    UNION
    SELECT key FROM guarantee WHERE customer_key = ?3 AND id > ?1
    UNION
    SELECT guarantee_key FROM guarantee_former WHERE customer_key = ?3 AND entry_key > ?6
    UNION
    SELECT key FROM guarantee WHERE id = ?5
),
stood AS (
    SELECT
        g.id, coalesce(f.customer_key, g.customer_key) AS customer_key,
        iif(f.key IS NULL, g.contract_key, f.contract_key) AS contract_key,
        coalesce(
            f.document,
            json_object(
                'kind', g.kind, 'party', g.party,
                'amount', json_object('minor', g.amount_minor, 'currency', g.currency), 'share', g.share,
                'valid_from', g.valid_from, 'valid_to', g.valid_to, 'claim_by', g.claim_by
            )
        ) AS document
    FROM wanted
    CROSS JOIN guarantee AS g ON g.key = wanted.key
    LEFT JOIN guarantee_former AS f ON f.key = (
        SELECT min(e.key) FROM guarantee_former AS e WHERE e.guarantee_key = g.key AND e.entry_key > ?6
    )
    WHERE coalesce(g.entry_key, 0) <= ?6
),
page AS (
    SELECT * FROM stood
    WHERE
        id > ?1 AND (?3 IS NULL OR customer_key = ?3)
        AND (
            ?4 IS NULL
            OR (
                document ->> 'valid_from' <= ?4 AND coalesce(document ->> 'valid_to', ?4) >= ?4
                AND coalesce(document ->> 'claim_by', ?4) >= ?4
            )
        )
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_set(
            page.document, '$.id', page.id, '$.customer_id', customer.id, '$.contract_id', contract.id
        )
    )
FROM page
CROSS JOIN customer ON customer.key = page.customer_key
LEFT JOIN contract ON contract.key = page.contract_key
