-- ?1: after this id, ?2: at most so many, ?3: only this id, ?4: only this customer.
-- Gives [id, invoice_id, customer_id, booked_on, minor, currency, [reason, state, asked_by, decided_by, standing],
-- [reversed_on, reversed_by, reversal_reason]].
SELECT
    json_group_array(
        json_array(
            id, invoice_id, customer_id, booked_on, minor, currency,
            json_array(
                reason, state, asked_by, decided_by, coalesce(
                    (
                        SELECT sum(a.amount_minor)
                        FROM adjustment AS x
                        CROSS JOIN allocation AS a ON a.customer_key = x.customer_key AND a.adjustment_key = x.key
                        WHERE x.id = 'write-off/' || page.id
                    ), 0
                )
            ),
            json_array(reversed_on, reversed_by, reversal_reason)
        )
    )
FROM (
    SELECT w.*, i.id AS invoice_id, c.id AS customer_id, i.currency
    FROM write_off AS w
    CROSS JOIN invoice AS i ON i.key = w.invoice_key
    CROSS JOIN customer AS c ON c.key = i.customer_key
    WHERE w.id > ?1 AND (?3 IS NULL OR w.id = ?3) AND (?4 IS NULL OR c.id = ?4)
    ORDER BY w.id
    LIMIT ?2
) AS page
