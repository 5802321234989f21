-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, invoice_key, payment_key, credit_key, allocated_on, amount_minor, [adjustment_key,
-- difference_key, difference]] of every part, what was taken back with its sign. The index has all of it but the last,
-- which is null for parts of payments and credit notes: their rows are not read.
SELECT
    json_group_array(
        json_array(
            a.customer_key, a.invoice_key, a.payment_key, a.credit_key, a.allocated_on, a.amount_minor,
            CASE
                WHEN coalesce(a.payment_key, a.credit_key) IS NULL
                    THEN json_array(a.adjustment_key, a.difference_key, a.difference)
            END
        )
    )
FROM json_each(?1) AS j
CROSS JOIN allocation AS a ON a.customer_key = j.value
