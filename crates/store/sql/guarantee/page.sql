-- ?1: after this id, ?2: at most so many, ?3: only of this customer, ?4: only what is in force on this day,
-- ?5: only this id. Null is no such condition. Gives the contract's guarantee.
WITH
page AS (
    SELECT * FROM guarantee WHERE ?3 IS NULL AND ?5 IS NULL AND id > ?1
    UNION ALL
    SELECT * FROM guarantee WHERE customer_key = ?3 AND id > ?1
    UNION ALL
    SELECT * FROM guarantee WHERE id = ?5
),
kept AS (
    SELECT * FROM page
    WHERE
        ?4 IS NULL
        OR (
            valid_from <= ?4 AND (valid_to IS NULL OR valid_to >= ?4) AND (claim_by IS NULL OR claim_by >= ?4)
        )
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_object(
            'id', g.id, 'customer_id', customer.id, 'contract_id', contract.id, 'kind', g.kind, 'party', g.party,
            'amount', json_object('minor', g.amount_minor, 'currency', g.currency), 'share', g.share,
            'valid_from', g.valid_from, 'valid_to', g.valid_to, 'claim_by', g.claim_by
        )
    )
FROM kept AS g
CROSS JOIN customer ON customer.key = g.customer_key
LEFT JOIN contract ON contract.key = g.contract_key
