-- ?1: after this customer, ?2: up to this one. Gives [customer_key, kind, currency, evidence].
SELECT json_group_array(json_array(customer_key, kind, currency, json(evidence)))
FROM alert
WHERE state = 'open' AND customer_key > ?1 AND customer_key <= ?2
