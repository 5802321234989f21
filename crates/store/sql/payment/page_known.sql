-- ?1, ?2: after this day and key, ?3: at most so many, ?4: the day, ?5: only this customer, ?6: only this payment, ?7: the
-- last audit entry that was known. One of ?5 and ?6 is given.
-- Gives the keys of payments by the day they were received, with corrections undone that came later.
WITH
asked AS (
    SELECT p.key FROM customer AS c CROSS JOIN payment AS p ON p.customer_key = c.key WHERE c.id = ?5
    UNION ALL
    SELECT key FROM payment WHERE id = ?6
    UNION ALL
    SELECT payment_key FROM payment_name WHERE id = ?6 AND coalesce(entry_key, 0) <= ?7
    UNION ALL
    SELECT payment_key FROM payment_name_former
    WHERE id = ?6 AND coalesce(entry_key, 0) <= ?7 AND until_entry_key > ?7
),
stood AS (
    SELECT
        p.key,
        coalesce(
            (
                SELECT o.before ->> 'received_on' FROM correction AS o
                WHERE o.payment_key = p.key AND o.entry_key > ?7 AND o.before ->> 'received_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ), p.received_on
        ) AS received_on
    FROM asked CROSS JOIN payment AS p ON p.key = asked.key
    WHERE coalesce(p.entry_key, 0) <= ?7
)
SELECT json_group_array(key)
FROM (
    SELECT key FROM stood
    WHERE (received_on, key) > (?1, ?2) AND received_on <= ?4
    ORDER BY received_on, key
    LIMIT ?3
)
