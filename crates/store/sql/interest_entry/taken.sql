-- ?1: keys of documents, ?2: the last audit entry that was known.
-- Gives [invoice_key, day, upheld, taken] of what was taken off them but by credit notes: how much of it by upheld
-- disputes, and all of it.
SELECT json_group_array(json_array(invoice_key, allocated_on, upheld, taken))
FROM (
    SELECT
        a.invoice_key, a.allocated_on, sum(a.amount_minor) AS taken,
        sum(CASE WHEN d.difference = 'dispute-upheld' THEN a.amount_minor ELSE 0 END) AS upheld
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.key = j.value
    CROSS JOIN allocation AS a ON a.customer_key = i.customer_key AND a.invoice_key = i.key
    LEFT JOIN adjustment AS d ON d.key = a.adjustment_key
    WHERE a.credit_key IS NULL AND (a.entry_key IS NULL OR a.entry_key <= ?2)
    GROUP BY a.invoice_key, a.allocated_on
)
