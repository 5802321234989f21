-- ?1: keys of customers as a JSON array.
-- Shape as in allocation/recorded.sql: the parts net of what was taken back.
SELECT
    json_group_array(json_array(invoice_key, payment_key, allocated_on, minor))
        FILTER (WHERE invoice_key IS NOT NULL AND payment_key IS NOT NULL),
    json_group_array(
        json_array(
            invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on, minor
        )
    ) FILTER (WHERE invoice_key IS NULL OR payment_key IS NULL)
FROM (
    SELECT
        a.customer_key, a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference,
        a.allocated_on, sum(a.amount_minor) AS minor
    FROM json_each(?1) AS j CROSS JOIN allocation AS a ON a.customer_key = j.value
    GROUP BY
        a.customer_key, a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference,
        a.allocated_on
    HAVING minor <> 0
)
