-- ?1: after this customer, ?2: up to this one. Gives [customer_key, rule, currency, since_on].
SELECT json_group_array(json_array(customer_key, rule, currency, since_on))
FROM alert_waiting
WHERE customer_key > ?1 AND customer_key <= ?2
