-- ?1: keys of customers as a JSON array; ?2: how many open claims of a customer are looked at, in each currency.
-- Gives [[key, document_key, document_id, customer_key, currency, issued_on, due_on, amount_minor, open_minor,
-- discount_share, discount_days, written_off_minor, void], ...]: the open claims that are due first. What of them was written
-- off, and whether they are void, matters where they are named, bank/named.sql.
WITH
-- The index has them by currency and due date.
owed AS (
    SELECT i.key, row_number() OVER (PARTITION BY i.customer_key, i.currency ORDER BY i.due_on) AS place
    FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.customer_key = j.value
    WHERE i.open_minor > 0 AND i.kind <> 'credit-note'
)
SELECT
    json_group_array(
        json_array(
            i.key, coalesce(i.parent_key, i.key), coalesce(d.id, i.id), i.customer_key, i.currency, i.issued_on,
            i.due_on, i.amount_minor, i.open_minor, v.discount_share, v.discount_days, 0, 0
        )
    )
FROM owed
CROSS JOIN invoice AS i ON i.key = owed.key
LEFT JOIN invoice AS d ON d.key = i.parent_key
LEFT JOIN contract_version AS v ON v.key = i.version_key
WHERE owed.place <= ?2
