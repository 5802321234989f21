-- ?1: keys of customers as a JSON array.
-- Gives [customer_key, currency, key, id, kind, issued_on, due_on, amount_minor, [about_key, parent_key, penalty, secured,
-- discount_share, discount_days, clause]] for all their documents in the ledger, in any order. The clause is the
-- contract's, as JSON. The last part is null where there is nothing of it, which is most of them.
SELECT
    json_group_array(
        json_array(
            i.customer_key, i.currency, i.key, i.id, i.kind, i.issued_on, i.due_on, i.amount_minor,
            CASE
                WHEN i.penalty = 1 OR coalesce(i.relates_key, i.parent_key, i.version_key) IS NOT NULL
                    THEN json_array(
                        i.relates_key, i.parent_key, i.penalty, v.secured, v.discount_share, v.discount_days,
                        v.document ->> '$.late_interest'
                    )
            END
        )
    )
FROM json_each(?1) AS j
CROSS JOIN invoice AS i ON i.customer_key = j.value
LEFT JOIN contract_version AS v ON v.key = i.version_key
