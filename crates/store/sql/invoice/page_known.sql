-- ?1, ?2: after this due date and key, ?3: at most so many, ?4: the day, ?5: only this customer, ?6: the last audit entry
-- that was known. Gives [due_on, key] of documents as invoice/page_keys.sql does, with corrections undone that came later.
WITH
document AS (
    SELECT
        i.key,
        coalesce(
            (
                SELECT o.before ->> 'issued_on' FROM correction AS o
                WHERE o.invoice_key = i.key AND o.entry_key > ?6 AND o.before ->> 'issued_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ), i.issued_on
        ) AS issued_on,
        coalesce(
            (
                SELECT o.before ->> 'due_on' FROM correction AS o
                WHERE o.invoice_key = i.key AND o.entry_key > ?6 AND o.before ->> 'due_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ), i.due_on
        ) AS due_on
    FROM customer AS c
    CROSS JOIN invoice AS i ON i.customer_key = c.key
    WHERE c.id = ?5 AND i.parent_key IS NULL AND coalesce(i.entry_key, 0) <= ?6
)
SELECT json_group_array(json_array(due_on, key))
FROM (
    SELECT due_on, key FROM document
    WHERE (due_on, key) > (?1, ?2) AND issued_on <= ?4
    ORDER BY due_on, key
    LIMIT ?3
)
