-- ?1: ids of credit notes, ?2: the last audit entry that was known. Gives [id, the id of what it is about or null].
SELECT json_group_array(json_array(
    i.id,
    nullif(
        coalesce(
            (
                SELECT o.before ->> 'relates_to' FROM correction AS o
                WHERE o.invoice_key = i.key AND o.entry_key > ?2 AND o.before ->> 'relates_to' IS NOT NULL
                ORDER BY o.key
                LIMIT 1
            ),
            r.id
        ),
        ''
    )
))
FROM json_each(?1) AS j
CROSS JOIN invoice AS i ON i.id = j.value
LEFT JOIN invoice AS r ON r.key = i.relates_key
