-- ?1: ids of payments, ?2: the last audit entry that was known.
-- Gives [id, [ids of the documents that the payer named or settles], the payment's order, that of its contract on the day].
SELECT json_group_array(json_array(
    p.id,
    (
        SELECT json_group_array(i.id)
        FROM (
            SELECT value ->> 0 AS key
            FROM json_each(
                coalesce(
                    (
                        SELECT o.before ->> 'designation' FROM correction AS o
                        WHERE o.payment_key = p.key AND o.entry_key > ?2 AND o.before ->> 'designation' IS NOT NULL
                        ORDER BY o.key
                        LIMIT 1
                    ),
                    p.designation,
                    CASE WHEN p.invoice_key IS NOT NULL THEN json_array(json_array(p.invoice_key)) END,
                    '[]'
                )
            )
            UNION
            SELECT value FROM json_each(p.settles)
        ) AS n
        CROSS JOIN invoice AS i ON i.key = n.key
    ),
    p.allocation_order,
    (
        SELECT v.allocation_order FROM contract_version AS v
        WHERE
            v.contract_key = p.contract_key AND v.effective_on <= p.received_on
            AND (v.entry_key IS NULL OR v.entry_key <= ?2)
        ORDER BY v.effective_on DESC, v.version DESC
        LIMIT 1
    )
))
FROM json_each(?1) AS j
CROSS JOIN payment AS p ON p.id = j.value
