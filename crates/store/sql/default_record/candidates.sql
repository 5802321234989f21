-- ?1: after this customer, ?2: up to this one, ?3: the business date, ?4: the last due date that the rule can reach.
-- Gives the keys of the customers the rule may hold for, and of those it held for.
SELECT json_group_array(customer_key)
FROM (
    SELECT customer_key FROM arrears
    WHERE customer_key > ?1 AND customer_key <= ?2 AND as_of = ?3 AND overdue_minor > 0 AND oldest_due_on <= ?4
    UNION
    SELECT customer_key FROM default_record
    WHERE state = 'open' AND by_rule = 1 AND customer_key > ?1 AND customer_key <= ?2
    ORDER BY customer_key
)
