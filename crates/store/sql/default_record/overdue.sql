-- ?1: keys of customers as a JSON array, ?2: the day.
-- Gives [customer_key, currency, invoice_key, id, due_on, open, given up] of every claim that was overdue at the end of
-- the day; what was contested then is left out of what is open. What was written off and not recovered was given up.
WITH
later AS (
    SELECT a.invoice_key, sum(a.amount_minor) AS minor
    FROM json_each(?1) AS j CROSS JOIN allocation AS a ON a.customer_key = j.value
    WHERE a.allocated_on > ?2
    GROUP BY a.invoice_key
),
given AS (
    SELECT a.invoice_key, sum(a.amount_minor) AS minor
    FROM json_each(?1) AS j
    CROSS JOIN adjustment AS x ON x.customer_key = j.value AND x.difference = 'write-off'
    CROSS JOIN allocation AS a ON a.adjustment_key = x.key
    WHERE a.allocated_on <= ?2
    GROUP BY a.invoice_key
),
item AS (
    SELECT
        i.customer_key, i.currency, i.key, i.id, i.due_on,
        i.open_minor + coalesce((SELECT l.minor FROM later AS l WHERE l.invoice_key = i.key), 0) - coalesce(
            (
                SELECT sum(d.minor) FROM dispute AS d
                WHERE
                    d.invoice_key = i.key AND d.opened_on <= ?2
                    AND (d.resolved_on IS NULL OR d.resolved_on > ?2)
            ), 0
        ) AS open_minor,
        coalesce((SELECT g.minor FROM given AS g WHERE g.invoice_key = i.key), 0) AS given_minor
    FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.customer_key = j.value
    WHERE i.issued_on <= ?2 AND i.due_on < ?2 AND i.kind <> 'credit-note'
)
SELECT json_group_array(json_array(customer_key, currency, key, id, due_on, max(open_minor, 0), given_minor))
FROM item
WHERE open_minor > 0 OR given_minor > 0
