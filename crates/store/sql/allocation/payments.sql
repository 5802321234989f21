-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, received_on, amount_minor less what was converted, [invoice_key, designation,
-- deductions, settles, order]] for all their payments, in any order. A designation takes the place of the invoice. The order is the payment's, else its contract's on
-- the day. The last part is null where there is nothing of it, which is most of them.
SELECT
    json_group_array(
        json_array(
            p.customer_key, p.currency, p.key, p.id, p.received_on, p.amount_minor - p.converted_minor,
            CASE
                WHEN
                    coalesce(
                        p.invoice_key, p.designation, p.deductions, p.settles, p.allocation_order, p.contract_key
                    ) IS NOT NULL
                    THEN json_array(
                        iif(p.designation IS NULL, p.invoice_key, NULL), json(p.designation), json(p.deductions), json(p.settles), coalesce(
                            p.allocation_order,
                            (
                                SELECT v.allocation_order FROM contract_version AS v
                                WHERE v.contract_key = p.contract_key AND v.effective_on <= p.received_on
                                ORDER BY v.effective_on DESC, v.version DESC
                                LIMIT 1
                            )
                        )
                    )
            END
        )
    )
FROM json_each(?1) AS j
CROSS JOIN payment AS p ON p.customer_key = j.value
