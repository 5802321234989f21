-- ?1: keys of customers as a JSON array.
-- Gives two lists of parts, what was taken back with its sign: [invoice_key, payment_key, allocated_on, amount_minor] of
-- money set against documents, and [invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference,
-- allocated_on, amount_minor] of all else. The index has the first, which are nearly all of them, and tells
-- them apart: their rows are not read.
SELECT
    json_group_array(json_array(a.invoice_key, a.payment_key, a.allocated_on, a.amount_minor))
        FILTER (WHERE a.invoice_key IS NOT NULL AND a.payment_key IS NOT NULL),
    json_group_array(
        json_array(
            a.invoice_key, a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.difference,
            a.allocated_on, a.amount_minor
        )
    ) FILTER (WHERE a.invoice_key IS NULL OR a.payment_key IS NULL)
FROM json_each(?1) AS j
CROSS JOIN allocation AS a ON a.customer_key = j.value
