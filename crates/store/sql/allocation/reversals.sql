-- ?1: keys of customers as a JSON array. Gives [payment_key, credit_key, id, day, whether by mistake, minor, until] of
-- money that went back of payments and credit notes, and was not said to be wrong: of each payment mistakes first, then
-- the oldest.
SELECT json_group_array(json_array(payment_key, credit_key, id, reversed_on, mistake, minor, until_on))
FROM (
    SELECT r.payment_key, NULL AS credit_key, r.id, r.reversed_on, r.kind = 'mistake' AS mistake, r.minor, NULL AS until_on
    FROM json_each(?1) AS j CROSS JOIN reversal AS r ON r.customer_key = j.value
    WHERE r.undone_entry_key IS NULL
    UNION ALL
    SELECT NULL, r.credit_key, r.id, r.refunded_on, 0, r.minor, r.reversed_on
    FROM json_each(?1) AS j CROSS JOIN credit_refund AS r ON r.customer_key = j.value
    ORDER BY 5 DESC, 4, 3
)
