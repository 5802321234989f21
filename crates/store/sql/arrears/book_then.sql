-- ?1: the day. Gives [currency, outstanding, how many customers owe] of the whole book on it.
WITH
piece AS (
    SELECT customer_key, currency, open_minor AS minor
    FROM invoice
    WHERE open_minor > 0 AND kind <> 'credit-note' AND issued_on <= ?1
    UNION ALL
    SELECT i.customer_key, i.currency, a.amount_minor
    FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.allocated_on > ?1 AND i.kind <> 'credit-note' AND i.issued_on <= ?1
),
owed AS (
    SELECT customer_key, currency, total(minor) AS minor
    FROM piece
    GROUP BY customer_key, currency
    HAVING total(minor) > 0
)
SELECT json_group_array(json_array(currency, minor, customers))
FROM (SELECT currency, CAST(total(minor) AS INTEGER) AS minor, count(*) AS customers FROM owed GROUP BY currency)
