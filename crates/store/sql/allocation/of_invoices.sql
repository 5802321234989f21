-- ?1: keys of documents, ?2: the day, ?3: the last audit entry that was known.
-- Gives [invoice_key, invoice_id, payment_id, credit_id, adjustment_id, difference, allocated_on, amount_minor,
-- payment_key, credit_key] of what was set against them, oldest first, net of what was taken back.
WITH
net AS (
    SELECT
        a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference, a.allocated_on,
        sum(a.amount_minor) AS minor
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.key = j.value
    CROSS JOIN allocation AS a ON a.customer_key = i.customer_key AND a.invoice_key = i.key
    WHERE a.allocated_on <= ?2 AND (a.entry_key IS NULL OR a.entry_key <= ?3)
    GROUP BY
        a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference, a.allocated_on
    HAVING minor <> 0
)
SELECT
    json_group_array(
        json_array(
            invoice_key, id, payment_id, credit_id, adjustment_id, why, allocated_on, minor, payment_key,
            credit_key
        )
    )
FROM (
    SELECT
        net.*, i.id, p.id AS payment_id, c.id AS credit_id, substr(x.id, instr(x.id, '/') + 1) AS adjustment_id,
        CASE WHEN net.adjustment_key IS NULL THEN net.difference ELSE x.difference END AS why
    FROM net
    CROSS JOIN invoice AS i ON i.key = net.invoice_key
    LEFT JOIN payment AS p ON p.key = coalesce(net.payment_key, net.difference_key)
    LEFT JOIN invoice AS c ON c.key = net.credit_key
    LEFT JOIN adjustment AS x ON x.key = net.adjustment_key
    ORDER BY
        net.allocated_on,
        -- When the document was due as far as was known then: a later correction has what it read before.
        coalesce(
            (
                SELECT o.before ->> 'due_on' FROM correction AS o
                WHERE o.invoice_key = i.key AND o.entry_key > ?3 AND o.before ->> 'due_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ),
            i.due_on
        ),
        i.id, p.id, c.id, x.id
)
