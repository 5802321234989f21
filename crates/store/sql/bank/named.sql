-- ?1: keys of documents, ?2: keys of customers, as JSON arrays.
-- Gives [[[key, id, name], ...], with a row for each name of a customer, those of duplicates that were merged into it too,
-- and [claims as in bank/owed.sql, ...]]: the customers of both, and the claims of the documents
-- whether they are open or not, each with what stands of its write-offs and whether its document is void.
WITH
claim AS (
    SELECT i.key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.key = j.value
    UNION
    SELECT i.key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.parent_key = j.value
),
payer AS (
    SELECT i.customer_key AS key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.key = j.value
    UNION
    SELECT value FROM json_each(?2)
)
SELECT
    json_array(
        (
            SELECT json_group_array(json_array(key, id, name))
            FROM (
                SELECT c.key, c.id, c.name FROM payer CROSS JOIN customer AS c ON c.key = payer.key
                UNION ALL
                SELECT c.key, c.id, m.name
                FROM payer
                CROSS JOIN customer AS c ON c.key = payer.key
                CROSS JOIN customer AS m INDEXED BY customer_by_merger ON m.merged_key = c.key
            )
        ),
        (
            SELECT
                json_group_array(
                    json_array(
                        i.key, coalesce(i.parent_key, i.key), coalesce(d.id, i.id), i.customer_key, i.currency, i.issued_on,
                        i.due_on, i.amount_minor, i.open_minor, v.discount_share, v.discount_days,
                        coalesce(
                            (
                                SELECT sum(a.amount_minor)
                                FROM write_off AS w
                                CROSS JOIN adjustment AS x ON x.id = 'write-off/' || w.id
                                CROSS JOIN allocation AS a ON a.adjustment_key = x.key AND a.invoice_key = i.key
                                WHERE w.invoice_key IN (i.key, i.parent_key)
                            ),
                            0
                        ),
                        EXISTS (
                            SELECT 1 FROM adjustment AS x
                            WHERE x.id = 'void/' || coalesce(d.id, i.id) AND x.until_on IS NULL
                        )
                    )
                )
            FROM claim
            CROSS JOIN invoice AS i ON i.key = claim.key
            LEFT JOIN invoice AS d ON d.key = i.parent_key
            LEFT JOIN contract_version AS v ON v.key = i.version_key
        )
    )
