-- ?1: keys of customers as a JSON array, ?2: the day.
-- Gives two lists of what somebody took back with a default: [invoice_key, closed_on] of the documents that were not paid
-- to the end on any day since, where giving a debt up pays nothing; [customer_key, currency, id] of what no cross-default
-- of the account may rest on.
WITH
item AS MATERIALIZED (
    SELECT t.key, d.customer_key, t.invoice_key, d.closed_on, i.amount_minor
    FROM json_each(?1) AS j
    CROSS JOIN default_record AS d ON d.customer_key = j.value
    CROSS JOIN default_taken_back AS t ON t.default_key = d.key
    CROSS JOIN invoice AS i ON i.key = t.invoice_key
    WHERE d.by_rule = 1 AND d.state = 'withdrawn'
),
moved AS (
    SELECT item.key, item.amount_minor, max(a.allocated_on, item.closed_on) AS day, sum(a.amount_minor) AS minor
    FROM item
    CROSS JOIN allocation AS a ON a.customer_key = item.customer_key AND a.invoice_key = item.invoice_key
    LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
    WHERE a.allocated_on <= ?2 AND x.difference IS NOT 'write-off'
    GROUP BY 1, 2, 3
),
paid AS MATERIALIZED (
    SELECT key, amount_minor, sum(minor) OVER (PARTITION BY key ORDER BY day) AS paid_minor FROM moved
)
SELECT json_array(
    (
        SELECT json_group_array(json_array(item.invoice_key, item.closed_on)) FROM item
        WHERE item.key NOT IN (SELECT paid.key FROM paid WHERE paid.paid_minor >= paid.amount_minor)
    ),
    (
        SELECT json_group_array(json_array(d.customer_key, d.currency, o.id))
        FROM json_each(?1) AS j
        CROSS JOIN default_record AS d ON d.customer_key = j.value
        CROSS JOIN default_taken_back AS t ON t.default_key = d.key
        CROSS JOIN default_record AS o ON o.key = t.other_key
        WHERE d.by_rule = 1 AND d.state = 'withdrawn'
    )
)
