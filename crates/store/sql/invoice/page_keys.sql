-- ?1, ?2: after this due date and key, ?3: at most so many, ?4: the day, ?5: only this customer.
-- Gives [due_on, key] of documents, without the instalments of others.
SELECT json_group_array(json_array(due_on, key))
FROM (
    SELECT i.due_on, i.key
    FROM customer AS c
    CROSS JOIN invoice AS i ON i.customer_key = c.key
    WHERE c.id = ?5 AND (i.due_on, i.key) > (?1, ?2) AND i.issued_on <= ?4 AND i.parent_key IS NULL
    ORDER BY i.due_on, i.key
    LIMIT ?3
)
