-- ?1: keys of customers as a JSON array, ?2: the day, ?3: the last audit entry that was known.
-- Gives [customer_key, the contract's new-customer] of those whose record was replaced after the day or unknown then.
SELECT json_group_array(json_array(f.customer_key, json(f.document)))
FROM json_each(?1) AS j
CROSS JOIN customer_former AS f ON f.key = (
    SELECT min(e.key) FROM customer_former AS e
    WHERE
        e.customer_key = j.value
        AND (
            e.entry_key > ?3
            OR NOT EXISTS (
                SELECT 1 FROM customer_former AS l
                WHERE l.customer_key = e.customer_key AND l.key >= e.key AND l.entry_key <= ?3 AND l.replaced_on <= ?2
            )
        )
)
