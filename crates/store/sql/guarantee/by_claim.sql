-- ?1: keys of customers as a JSON array, ?2: the last day there is.
-- Gives [invoice_key, first day, last day] of what secures a document and not all debts of its customer alike: from its
-- first day on what is bound to the contract, and from the day after its last one what is bound to none and can still be
-- claimed for what fell due while it was in force.
SELECT
    json_group_array(
        json_array(
            i.key, iif(g.contract_key IS NULL, date(g.valid_to, '+1 day'), g.valid_from),
            coalesce(
                iif(
                    i.due_on BETWEEN g.valid_from AND g.valid_to, g.claim_by,
                    min(g.claim_by, coalesce(g.valid_to, g.claim_by))
                ),
                g.valid_to, ?2
            )
        )
    )
FROM json_each(?1) AS named
CROSS JOIN guarantee AS g ON g.customer_key = named.value
CROSS JOIN invoice AS i ON i.customer_key = g.customer_key AND i.currency = g.currency
LEFT JOIN contract_version AS v ON v.key = i.version_key
WHERE
    v.contract_key = g.contract_key
    OR (g.contract_key IS NULL AND g.claim_by > g.valid_to AND i.due_on BETWEEN g.valid_from AND g.valid_to)
