-- ?1: key of a customer, ?2: key of one of its documents or null for all, ?3: the day.
-- Gives [key, issued_on, due_on, amount, [[allocated_on, minor]]] of each claim: a document or instalment, with what
-- was set against it day by day.
WITH
claim AS (
    SELECT * FROM invoice WHERE ?2 IS NULL AND customer_key = ?1
    UNION ALL
    SELECT * FROM invoice WHERE key = ?2
    UNION ALL
    SELECT * FROM invoice WHERE parent_key = ?2
)
SELECT
    json_group_array(
        json_array(
            claim.key, claim.issued_on, claim.due_on, claim.amount_minor,
            (
                SELECT json_group_array(json_array(allocated_on, minor))
                FROM (
                    SELECT a.allocated_on, sum(a.amount_minor) AS minor
                    FROM allocation AS a
                    WHERE
                        a.customer_key = claim.customer_key AND a.invoice_key = claim.key AND a.allocated_on <= ?3
                    GROUP BY a.allocated_on
                    ORDER BY a.allocated_on
                )
            )
        )
    )
FROM claim
WHERE claim.kind <> 'credit-note' AND claim.issued_on <= ?3
