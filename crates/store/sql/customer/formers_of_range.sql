-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: the last audit entry that was known.
-- Gives [customer_key, the contract's new-customer] of those whose record was replaced after the day or unknown then.
WITH
first AS MATERIALIZED (
    SELECT min(e.key) AS key
    FROM customer_former AS e
    WHERE
        e.customer_key > ?1 AND e.customer_key <= ?2
        AND (
            e.entry_key > ?4
            OR NOT EXISTS (
                SELECT 1 FROM customer_former AS l
                WHERE l.customer_key = e.customer_key AND l.key >= e.key AND l.entry_key <= ?4 AND l.replaced_on <= ?3
            )
        )
    GROUP BY e.customer_key
)
SELECT json_group_array(json_array(f.customer_key, json(f.document)))
FROM first CROSS JOIN customer_former AS f ON f.key = first.key
