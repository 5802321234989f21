-- ?1: ids of payments, ?2: the last audit entry that was known.
-- Gives [id, key, [[document that the payer named or settles, how much the payer named for it or null]], the payment's order, that
-- of its contract on the day].
SELECT json_group_array(json_array(
    p.id,
    p.key,
    (
        SELECT json_group_array(json_array(i.id, named.minor))
        FROM (
            SELECT value ->> 0 AS key, sum(value ->> 1) AS minor
            FROM json_each(
                coalesce(
                    (
                        SELECT o.before ->> 'designation' FROM correction AS o
                        WHERE o.payment_key = p.key AND o.entry_key > ?2 AND o.before ->> 'designation' IS NOT NULL
                        ORDER BY o.key
                        LIMIT 1
                    ),
                    p.designation,
                    '[]'
                )
            )
            GROUP BY value ->> 0
            UNION ALL
            SELECT w.key, NULL FROM invoice AS w
            WHERE w.id = coalesce(
                (
                    SELECT o.before ->> 'invoice_id' FROM correction AS o
                    WHERE o.payment_key = p.key AND o.entry_key > ?2 AND o.before ->> 'invoice_id' IS NOT NULL
                    ORDER BY o.key
                    LIMIT 1
                ),
                (SELECT m.id FROM invoice AS m WHERE m.key = p.invoice_key AND p.designation IS NULL)
            )
            UNION ALL
            SELECT value, NULL FROM json_each(p.settles)
        ) AS named
        CROSS JOIN invoice AS i ON i.key = named.key
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
