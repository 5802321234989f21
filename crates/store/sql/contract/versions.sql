-- ?1: the id, ?2: after this version, ?3: at most so many, ?4: the day by which they begin,
-- ?5: the last audit entry that was known.
-- Gives [version_key, contract_key, customer_key, the contract's contract] by version.
SELECT
    json_group_array(
        json_array(
            key, contract_key, customer_key,
            json_patch(
                document,
                json_object(
                    'id', ?1, 'customer_id', customer_id, 'version', version,
                    'secured', json(iif(secured, 'true', 'false')), 'recorded_at', recorded_at
                )
            )
        )
    )
FROM (
    SELECT v.*, c.customer_key, customer.id AS customer_id
    FROM contract AS c
    CROSS JOIN contract_version AS v ON v.contract_key = c.key
    CROSS JOIN customer ON customer.key = c.customer_key
    WHERE c.id = ?1 AND v.version > ?2 AND v.effective_on <= ?4 AND coalesce(v.entry_key, 0) <= ?5
    ORDER BY v.version
    LIMIT ?3
)
