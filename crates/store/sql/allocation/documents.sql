-- ?1: keys of customers as a JSON array.
-- Gives [[customer_key, currency, key, id, kind, issued_on, due_on, amount_minor, penalty], [about_key, parent_key, secured,
-- discount_share, discount_days, clause]] for all their documents in the ledger. The clause is the contract's, as JSON.
SELECT
    json_group_array(
        json_array(
            json_array(customer_key, currency, key, id, kind, issued_on, due_on, amount_minor, penalty),
            json_array(relates_key, parent_key, secured, discount_share, discount_days, clause)
        )
    )
FROM (
    SELECT i.*, v.secured, v.discount_share, v.discount_days, v.document ->> '$.late_interest' AS clause
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.customer_key = j.value
    LEFT JOIN contract_version AS v ON v.key = i.version_key
    ORDER BY i.customer_key, i.currency
)
