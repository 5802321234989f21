-- ?1: [event, after, upto] by key. Gives [event, key, id, kind, customer_key, customer_id, issued_on, due_on, minor,
-- currency, entry_key] as the documents read when they were recorded. Instalments are told with their invoice.
WITH
said AS (
    SELECT s.value ->> 0 AS event, i.*
    FROM json_each(?1) AS s
    CROSS JOIN invoice AS i ON i.key > s.value ->> 1 AND i.key <= s.value ->> 2
    WHERE i.parent_key IS NULL
),
-- The first correction of a field has what it read before.
first_read AS (
    SELECT
        d.*,
        (
            SELECT c.before ->> 'amount_minor' FROM correction AS c
            WHERE c.invoice_key = d.key AND c.before ->> 'amount_minor' IS NOT NULL ORDER BY c.key LIMIT 1
        ) AS first_minor,
        (
            SELECT c.before ->> 'issued_on' FROM correction AS c
            WHERE c.invoice_key = d.key AND c.before ->> 'issued_on' IS NOT NULL ORDER BY c.key LIMIT 1
        ) AS first_issued_on,
        (
            SELECT c.before ->> 'due_on' FROM correction AS c
            WHERE c.invoice_key = d.key AND c.before ->> 'due_on' IS NOT NULL ORDER BY c.key LIMIT 1
        ) AS first_due_on,
        (
            SELECT
                sum(
                    coalesce(
                        (
                            SELECT c.before ->> 'amount_minor' FROM correction AS c
                            WHERE c.invoice_key = p.key AND c.before ->> 'amount_minor' IS NOT NULL
                            ORDER BY c.key LIMIT 1
                        ),
                        p.amount_minor
                    )
                )
            FROM invoice AS p
            WHERE p.parent_key = d.key
        ) AS parts_minor
    FROM said AS d
)
SELECT
    json_group_array(
        json_array(
            d.event, d.key, d.id, d.kind, d.customer_key, c.id, coalesce(d.first_issued_on, d.issued_on),
            coalesce(d.first_due_on, d.due_on), coalesce(d.parts_minor, d.first_minor, d.amount_minor), d.currency,
            d.entry_key
        )
    )
FROM first_read AS d
JOIN customer AS c ON c.key = d.customer_key
