-- ?1: names of orders, ?2: a day, or null.
-- Gives [name, who names it] of one that a contract or payment ever named; with a day, of one that a version of a contract
-- names that is in force then or later.
SELECT json_array(v.allocation_order, 'contract ' || k.id)
FROM contract_version AS v CROSS JOIN contract AS k ON k.key = v.contract_key
WHERE
    v.allocation_order IN (SELECT value FROM json_each(?1))
    AND (
        ?2 IS NULL
        OR (
            coalesce(v.ends_on, ?2) >= ?2
            AND NOT EXISTS (
                SELECT 1 FROM contract_version AS n
                WHERE
                    n.contract_key = v.contract_key AND n.effective_on <= max(v.effective_on, ?2)
                    AND (n.effective_on, n.version) > (v.effective_on, v.version)
            )
        )
    )
UNION ALL
SELECT json_array(p.allocation_order, 'payment ' || p.id)
FROM payment AS p
WHERE ?2 IS NULL AND p.allocation_order IN (SELECT value FROM json_each(?1))
LIMIT 1
