-- ?1: [event, after, upto, first of the change, last of the change] by key: a stretch of what one change recorded.
-- Gives [event, key, customer_key, customer_id, invoice_id, payment_id, credit_id, difference, day, minor, currency,
-- entry_key, open_minor, moved_minor, is_last]: what is open of the document after the whole change, how much the change
-- moved of it, and whether it is the change's last row of it.
WITH
said AS (
    SELECT s.value ->> 0 AS event, s.value ->> 3 AS change_after, s.value ->> 4 AS change_upto, a.*
    FROM json_each(?1) AS s
    CROSS JOIN allocation AS a ON a.key > s.value ->> 1 AND a.key <= s.value ->> 2
),
moved AS (
    SELECT
        a.*, i.id AS invoice_id, i.currency AS invoice_currency,
        -- What the document claimed then: a later correction has what it read before.
        coalesce(
            (
                SELECT c.before ->> 'amount_minor' FROM correction AS c
                WHERE
                    c.invoice_key = a.invoice_key AND c.entry_key > a.entry_key
                    AND c.before ->> 'amount_minor' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ),
            i.amount_minor
        ) AS claimed_minor,
        (
            SELECT coalesce(sum(x.amount_minor), 0) FROM allocation AS x
            WHERE x.customer_key = a.customer_key AND x.invoice_key = a.invoice_key AND x.key <= a.change_upto
        ) AS allocated_minor,
        (
            SELECT coalesce(sum(x.amount_minor), 0) FROM allocation AS x
            WHERE
                x.customer_key = a.customer_key AND x.invoice_key = a.invoice_key
                AND x.key > a.change_after AND x.key <= a.change_upto
        ) AS moved_minor,
        NOT EXISTS (
            SELECT 1 FROM allocation AS x
            WHERE
                x.customer_key = a.customer_key AND x.invoice_key = a.invoice_key
                AND x.key > a.key AND x.key <= a.change_upto
        ) AS is_last
    FROM said AS a
    LEFT JOIN invoice AS i ON i.key = a.invoice_key
)
SELECT
    json_group_array(
        json_array(
            m.event, m.key, m.customer_key, c.id, m.invoice_id, p.id, n.id, m.difference, m.allocated_on,
            m.amount_minor, coalesce(m.invoice_currency, p.currency, n.currency), m.entry_key,
            json_array(m.claimed_minor - m.allocated_minor, m.moved_minor, m.is_last)
        )
    )
FROM moved AS m
JOIN customer AS c ON c.key = m.customer_key
LEFT JOIN payment AS p ON p.key = coalesce(m.payment_key, m.difference_key)
LEFT JOIN invoice AS n ON n.key = m.credit_key
