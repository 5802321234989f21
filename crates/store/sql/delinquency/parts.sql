-- ?1: key of a customer, ?2: key of one of its documents or null for all, ?3: the day,
-- ?4: the last audit entry that was known.
-- Gives [key, issued_on, due_on, amount, [[allocated_on, minor, given up]]] of each claim: a document or instalment, with
-- what was set against it day by day, and how much of that was written off, below zero what was recovered.
WITH
asked AS (
    SELECT * FROM invoice WHERE ?2 IS NULL AND customer_key = ?1
    UNION ALL
    SELECT * FROM invoice WHERE key = ?2
    UNION ALL
    SELECT * FROM invoice WHERE parent_key = ?2
),
-- What a document said then: a correction that came later is undone.
claim AS (
    SELECT
        i.key, i.customer_key,
        coalesce(
            (
                SELECT c.before ->> 'issued_on' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?4 AND c.before ->> 'issued_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.issued_on
        ) AS issued_on,
        coalesce(
            (
                SELECT c.before ->> 'due_on' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?4 AND c.before ->> 'due_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.due_on
        ) AS due_on,
        coalesce(
            (
                SELECT c.before ->> 'amount_minor' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?4 AND c.before ->> 'amount_minor' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.amount_minor
        ) AS amount_minor
    FROM asked AS i
    WHERE i.kind <> 'credit-note' AND coalesce(i.entry_key, 0) <= ?4
)
SELECT
    json_group_array(
        json_array(
            claim.key, claim.issued_on, claim.due_on, claim.amount_minor,
            (
                SELECT json_group_array(json_array(allocated_on, minor, given_minor))
                FROM (
                    SELECT
                        a.allocated_on, sum(a.amount_minor) AS minor,
                        sum(iif(x.difference = 'write-off', a.amount_minor, 0)) AS given_minor
                    FROM allocation AS a
                    LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
                    WHERE
                        a.customer_key = claim.customer_key AND a.invoice_key = claim.key AND a.allocated_on <= ?3
                        AND coalesce(a.entry_key, 0) <= ?4
                    GROUP BY a.allocated_on
                    ORDER BY a.allocated_on
                )
            )
        )
    )
FROM claim
WHERE claim.issued_on <= ?3
