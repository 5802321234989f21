-- ?1: after this customer, ?2: up to this one. Gives [customer_key, samples].
SELECT json_group_array(json_array(customer_key, json(samples)))
FROM fact_sample
WHERE customer_key > ?1 AND customer_key <= ?2
