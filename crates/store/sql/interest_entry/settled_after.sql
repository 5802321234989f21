-- ?1: after this id, ?2: at most so many, ?3: a customer's id or null.
-- Gives the ids of documents whose interest was claimed or given up, in their order: by a note that is about one now or
-- was before it was corrected, about an instalment too, or by a waiver.
SELECT json_group_array(id)
FROM (
    SELECT i.id
    FROM invoice AS i
    WHERE
        i.id > ?1
        AND i.key IN (
            SELECT e.invoice_key FROM interest_entry AS e
            UNION ALL
            SELECT coalesce(d.parent_key, d.key)
            FROM invoice AS n CROSS JOIN invoice AS d ON d.key = n.relates_key
            WHERE n.relates_key IS NOT NULL AND n.kind = 'interest-note'
            UNION ALL
            SELECT coalesce(d.parent_key, d.key)
            FROM correction AS c CROSS JOIN invoice AS d ON d.id = c.before ->> 'relates_to'
            WHERE c.before ->> 'relates_to' IS NOT NULL
        )
        AND (?3 IS NULL OR i.customer_key = (SELECT c.key FROM customer AS c WHERE c.id = ?3))
    ORDER BY i.id
    LIMIT ?2
)
