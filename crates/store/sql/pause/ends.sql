-- ?1: after this customer, ?2: up to this one, ?3: the day.
-- Gives [customer_key, day] for each customer with a pause in force on the day: the first day on which one of them ends.
SELECT json_group_array(json_array(customer_key, ends_on))
FROM (
    SELECT customer_key, min(CASE WHEN resumed_on < to_on THEN resumed_on ELSE coalesce(to_on, resumed_on) END) AS ends_on
    FROM pause
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND from_on <= ?3
        AND (to_on IS NULL OR to_on > ?3) AND (resumed_on IS NULL OR resumed_on > ?3)
    GROUP BY customer_key
    HAVING ends_on IS NOT NULL
)
