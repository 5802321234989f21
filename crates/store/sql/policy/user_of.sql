-- ?1: names of orders. Gives [name, who names it] of one that a contract or payment names.
SELECT json_array(v.allocation_order, 'contract ' || k.id)
FROM contract_version AS v CROSS JOIN contract AS k ON k.key = v.contract_key
WHERE v.allocation_order IN (SELECT value FROM json_each(?1))
UNION ALL
SELECT json_array(p.allocation_order, 'payment ' || p.id)
FROM payment AS p
WHERE p.allocation_order IN (SELECT value FROM json_each(?1))
LIMIT 1
