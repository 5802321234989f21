-- ?1: keys of customers as a JSON array, ?2: the day.
-- Gives [customer_key, currency, contract_key, amount_minor, share] of what is in force on the day and can be claimed.
SELECT json_group_array(json_array(g.customer_key, g.currency, g.contract_key, g.amount_minor, g.share))
FROM json_each(?1) AS j
CROSS JOIN guarantee AS g ON g.customer_key = j.value
WHERE
    g.valid_from <= ?2 AND (g.valid_to IS NULL OR g.valid_to >= ?2) AND (g.claim_by IS NULL OR g.claim_by >= ?2)
