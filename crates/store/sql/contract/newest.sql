-- ?1: the id. Gives [contract_key, customer_key, version, the contract's new-contract], or nothing.
SELECT json_array(c.key, c.customer_key, v.version, json(v.document))
FROM contract AS c
CROSS JOIN contract_version AS v ON v.contract_key = c.key
WHERE c.id = ?1
ORDER BY v.version DESC
LIMIT 1
