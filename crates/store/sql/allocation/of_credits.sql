-- ?1: keys of payments, ?2: keys of credit notes, ?3: the day, ?4: the last audit entry that was known.
-- Shape as in allocation/of_invoices.sql: what they were set against, and the differences that payments earned. Money
-- that went back has no invoice.
WITH
whose AS (
    SELECT p.customer_key FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.key = j.value
    UNION
    SELECT i.customer_key FROM json_each(?2) AS j CROSS JOIN invoice AS i ON i.key = j.value
),
net AS (
    SELECT
        a.invoice_key, a.payment_key, a.credit_key, a.difference_key, a.difference, a.allocated_on,
        sum(a.amount_minor) AS minor
    FROM whose
    CROSS JOIN allocation AS a ON a.customer_key = whose.customer_key
    WHERE
        -- What the index alone can tell comes first: the row is read only where the part may be one of them.
        (
            a.payment_key IN (SELECT value FROM json_each(?1)) OR a.credit_key IN (SELECT value FROM json_each(?2))
            OR (a.payment_key IS NULL AND a.credit_key IS NULL)
        )
        AND a.allocated_on <= ?3 AND (a.entry_key IS NULL OR a.entry_key <= ?4)
        AND (
            coalesce(a.payment_key, a.credit_key) IS NOT NULL
            OR a.difference_key IN (SELECT value FROM json_each(?1))
        )
    GROUP BY a.invoice_key, a.payment_key, a.credit_key, a.difference_key, a.difference, a.allocated_on
    HAVING minor <> 0
)
SELECT
    json_group_array(
        json_array(
            invoice_key, id, payment_id, credit_id, NULL, difference, allocated_on, minor,
            coalesce(payment_key, difference_key), credit_key
        )
    )
FROM (
    SELECT net.*, i.id, p.id AS payment_id, c.id AS credit_id
    FROM net
    LEFT JOIN invoice AS i ON i.key = net.invoice_key
    LEFT JOIN payment AS p ON p.key = coalesce(net.payment_key, net.difference_key)
    LEFT JOIN invoice AS c ON c.key = net.credit_key
    ORDER BY
        net.allocated_on,
        -- When the document was due as far as was known then: a later correction has what it read before.
        coalesce(
            (
                SELECT o.before ->> 'due_on' FROM correction AS o
                WHERE o.invoice_key = i.key AND o.entry_key > ?4 AND o.before ->> 'due_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ),
            i.due_on
        ),
        i.id, p.id, c.id
)
