-- ?1, ?2: after this day and key, ?3: at most so many, ?4: the day, ?5: only this customer, ?6: only this payment,
-- ?7: the last audit entry that was known, ?8: only these keys, as a JSON array. One of ?5, ?6 and ?8 is given.
-- Gives [[key, id, customer_id, received_on, amount_minor, currency, invoice_id, converted_minor], [designation,
-- order, contract_id, deductions, settles, converted_from, cost_minor]]. Names of invoices are their ids.
WITH
page AS (
    SELECT * FROM (
        SELECT p.* FROM customer AS c CROSS JOIN payment AS p ON p.customer_key = c.key WHERE c.id = ?5
        UNION ALL
        SELECT p.* FROM payment AS p WHERE p.id = ?6
        UNION ALL
        SELECT p.* FROM payment_name AS n CROSS JOIN payment AS p ON p.key = n.payment_key WHERE n.id = ?6
        UNION ALL
        SELECT p.* FROM json_each(?8) AS j CROSS JOIN payment AS p ON p.key = j.value
    )
    WHERE (received_on, key) > (?1, ?2) AND received_on <= ?4 AND (entry_key IS NULL OR entry_key <= ?7)
    ORDER BY received_on, key
    LIMIT ?3
)
SELECT
    json_group_array(
        json_array(
            json_array(
                page.key, page.id, c.id, page.received_on, page.amount_minor, page.currency, i.id,
                page.converted_minor
            ),
            json_array(
                (
                    SELECT json_group_array(json_object('invoice_id', n.id, 'minor', d.value ->> 1))
                    FROM json_each(page.designation) AS d CROSS JOIN invoice AS n ON n.key = d.value ->> 0
                ),
                page.allocation_order,
                k.id,
                (
                    SELECT
                        json_group_array(
                            json_object('invoice_id', n.id, 'minor', d.value ->> 1, 'reason', d.value ->> 2)
                        )
                    FROM json_each(page.deductions) AS d CROSS JOIN invoice AS n ON n.key = d.value ->> 0
                ),
                (
                    SELECT json_group_array(n.id)
                    FROM json_each(page.settles) AS d CROSS JOIN invoice AS n ON n.key = d.value
                ),
                o.id,
                page.cost_minor
            )
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
-- A designation takes the place of the invoice, from the correction on that brought it.
LEFT JOIN invoice AS i
    ON i.key = page.invoice_key
    AND (
        page.designation IS NULL
        OR EXISTS (
            SELECT 1 FROM correction AS o
            WHERE o.payment_key = page.key AND o.entry_key > ?7 AND o.before ->> 'designation' = '[]'
        )
    )
LEFT JOIN contract AS k ON k.key = page.contract_key
LEFT JOIN payment AS o ON o.key = page.converted_from_key
