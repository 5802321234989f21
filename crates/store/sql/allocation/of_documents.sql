-- ?1: keys of customers, ?2: the day. Gives [invoice_key, payment_key, credit_key, invoice_id, payment_id, credit_id,
-- allocated_on, amount_minor, currency] by day, net of what was taken back.
WITH
net AS (
    SELECT a.invoice_key, a.payment_key, a.credit_key, a.allocated_on, sum(a.amount_minor) AS minor
    FROM json_each(?1) AS j CROSS JOIN allocation AS a ON a.customer_key = j.value
    WHERE a.allocated_on <= ?2
    GROUP BY a.invoice_key, a.payment_key, a.credit_key, a.allocated_on
    HAVING minor <> 0
)
SELECT
    json_group_array(
        json_array(
            invoice_key, payment_key, credit_key, invoice_id, payment_id, credit_id, allocated_on, minor, currency
        )
    )
FROM (
    SELECT net.*, i.id AS invoice_id, i.currency, p.id AS payment_id, c.id AS credit_id
    FROM net
    CROSS JOIN invoice AS i ON i.key = net.invoice_key
    LEFT JOIN payment AS p ON p.key = net.payment_key
    LEFT JOIN invoice AS c ON c.key = net.credit_key
    ORDER BY net.allocated_on, i.due_on, i.id, p.id, c.id
)
