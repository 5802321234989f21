-- ?1: after this id, ?2: at most so many, ?3: only this id, ?4: only this customer, ?5: the day,
-- ?6: the last audit entry that was known. It waits where its decision was not known then: one that counts does so from
-- its own day or its document's, whichever is later, until the day on which it was taken back, if that was known.
-- Gives [id, invoice_id, customer_id, booked_on, minor, currency, [reason, state, asked_by, decided_by, standing],
-- [reversed_on, reversed_by, reversal_reason], the document's day].
SELECT
    json_group_array(
        json_array(
            id, invoice_id, customer_id, booked_on, minor, currency,
            json_array(
                reason,
                CASE WHEN NOT decided THEN 'pending' WHEN state = 'reversed' AND NOT reversed THEN 'booked' ELSE state END,
                asked_by, iif(decided, decided_by, NULL), coalesce(
                    (
                        SELECT sum(a.amount_minor)
                        FROM adjustment AS x
                        CROSS JOIN allocation AS a ON a.customer_key = x.customer_key AND a.adjustment_key = x.key
                        WHERE
                            x.id = 'write-off/' || page.id AND a.allocated_on <= ?5
                            AND coalesce(a.entry_key, 0) <= ?6
                    ), 0
                )
            ),
            json_array(
                iif(reversed, reversed_on, NULL), iif(reversed, reversed_by, NULL), iif(reversed, reversal_reason, NULL)
            ), document_on
        )
    )
FROM (
    SELECT
        w.*, (w.decided_by IS NULL OR coalesce(w.decided_entry_key, 0) <= ?6) AS decided,
        (w.reversed_on <= ?5 AND coalesce(w.reversed_entry_key, 0) <= ?6) AS reversed,
        i.id AS invoice_id, c.id AS customer_id, i.currency,
        -- As it was known then: a later correction has what it read before.
        coalesce(
            (
                SELECT o.before ->> 'issued_on' FROM correction AS o
                WHERE o.invoice_key = i.key AND o.entry_key > ?6 AND o.before ->> 'issued_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ),
            i.issued_on
        ) AS document_on
    FROM write_off AS w
    CROSS JOIN invoice AS i ON i.key = w.invoice_key
    CROSS JOIN customer AS c ON c.key = i.customer_key
    WHERE
        w.id > ?1 AND (?3 IS NULL OR w.id = ?3) AND (?4 IS NULL OR c.id = ?4)
        AND max(w.booked_on, document_on) <= ?5 AND coalesce(w.entry_key, 0) <= ?6
    ORDER BY w.id
    LIMIT ?2
) AS page
