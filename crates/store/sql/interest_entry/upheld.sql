-- ?1: keys of documents, ?2: the last audit entry that was known.
-- Gives [invoice_key, day, minor] of what upheld disputes took off them.
SELECT json_group_array(json_array(invoice_key, allocated_on, minor))
FROM (
    SELECT a.invoice_key, a.allocated_on, sum(a.amount_minor) AS minor
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.key = j.value
    CROSS JOIN allocation AS a ON a.customer_key = i.customer_key AND a.invoice_key = i.key
    CROSS JOIN adjustment AS d ON d.key = a.adjustment_key
    WHERE d.difference = 'dispute-upheld' AND (a.entry_key IS NULL OR a.entry_key <= ?2)
    GROUP BY a.invoice_key, a.allocated_on
    HAVING minor <> 0
)
