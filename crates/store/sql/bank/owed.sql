-- ?1: keys of documents, ?2: keys of customers, as JSON arrays; ?3: how many open claims of a customer are looked at.
-- Gives [[[key, id, name], ...], [[key, document_key, document_id, customer_key, currency, issued_on, due_on,
-- amount_minor, open_minor, discount_share, discount_days], ...]]: the customers of both, the claims of the documents
-- whether they are open or not, and the oldest open claims of the customers. By due date.
WITH
named AS (
    SELECT i.key, i.customer_key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.key = j.value
    UNION
    SELECT i.key, i.customer_key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.parent_key = j.value
),
payer AS (
    SELECT customer_key AS key FROM named
    UNION
    SELECT value FROM json_each(?2)
),
-- The index has them by currency and due date.
owed AS (
    SELECT i.key, row_number() OVER (PARTITION BY i.customer_key, i.currency ORDER BY i.due_on) AS place
    FROM payer CROSS JOIN invoice AS i ON i.customer_key = payer.key
    WHERE i.open_minor > 0 AND i.kind <> 'credit-note'
),
wanted AS (
    SELECT key FROM named
    UNION
    SELECT key FROM owed WHERE place <= ?3
),
claim AS (
    SELECT
        i.key, coalesce(i.parent_key, i.key) AS document_key, coalesce(d.id, i.id) AS document_id, i.customer_key,
        i.currency, i.issued_on, i.due_on, i.amount_minor, i.open_minor, v.discount_share, v.discount_days
    FROM wanted
    CROSS JOIN invoice AS i ON i.key = wanted.key
    LEFT JOIN invoice AS d ON d.key = i.parent_key
    LEFT JOIN contract_version AS v ON v.key = i.version_key
    ORDER BY i.due_on, i.key
)
SELECT
    json_array(
        (
            SELECT json_group_array(json_array(c.key, c.id, c.name))
            FROM payer CROSS JOIN customer AS c ON c.key = payer.key
        ),
        (
            SELECT
                json_group_array(
                    json_array(
                        key, document_key, document_id, customer_key, currency, issued_on, due_on, amount_minor,
                        open_minor, discount_share, discount_days
                    )
                )
            FROM claim
        )
    )
