-- ?1: keys of documents, ?2: the last audit entry that was known.
-- Gives [[key, id, customer_key, customer_id, kind, issued_on, due_on, amount_minor, currency], [contract_id,
-- signed_on, key of the contract's version, relates_to, parent_key, penalty, reference]] of those and of their instalments.
WITH
asked AS (
    SELECT value AS key FROM json_each(?1)
    UNION
    SELECT i.key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.parent_key = j.value
)
SELECT
    json_group_array(
        json_array(
            json_array(
                i.key, i.id, i.customer_key, c.id, i.kind, i.issued_on, i.due_on, i.amount_minor, i.currency
            ),
            json_array(
                k.id, v.signed_on, v.key, r.id, i.parent_key, i.penalty, i.reference
            )
        )
    )
FROM asked
CROSS JOIN invoice AS i ON i.key = asked.key
CROSS JOIN customer AS c ON c.key = i.customer_key
LEFT JOIN contract_version AS v ON v.key = i.version_key
LEFT JOIN contract AS k ON k.key = v.contract_key
LEFT JOIN invoice AS r ON r.key = i.relates_key
WHERE i.entry_key IS NULL OR i.entry_key <= ?2
