-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: the last audit entry that was known.
-- Gives [customer_key, the contract's new-customer] of those whose record was replaced after the day or unknown then.
WITH
first AS MATERIALIZED (
    SELECT min(key) AS key
    FROM customer_former
    WHERE customer_key > ?1 AND customer_key <= ?2 AND (entry_key > ?4 OR until_on > ?3)
    GROUP BY customer_key
)
SELECT json_group_array(json_array(f.customer_key, json(f.document)))
FROM first CROSS JOIN customer_former AS f ON f.key = first.key
