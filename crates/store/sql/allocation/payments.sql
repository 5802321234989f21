-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, received_on, amount_minor less what was converted, invoice_key, designation,
-- deductions, settles, order] for all their payments. The order is the payment's, else its contract's on the day.
SELECT
    json_group_array(
        json_array(
            json_array(customer_key, currency, key, id, received_on, amount_minor - converted_minor, invoice_key),
            json_array(
                json(designation), json(deductions), json(settles), coalesce(
                    allocation_order,
                    (
                        SELECT v.allocation_order FROM contract_version AS v
                        WHERE v.contract_key = own.contract_key AND v.effective_on <= own.received_on
                        ORDER BY v.effective_on DESC, v.version DESC
                        LIMIT 1
                    )
                )
            )
        )
    )
FROM (
    SELECT p.* FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.customer_key = j.value
    ORDER BY p.customer_key, p.currency
) AS own
