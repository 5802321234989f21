-- Gives [broken, ids] for documents with instalments that are not the sum of them alone: what has an amount of its own
-- beside them, or instalments of another customer, currency or day, or instalments of instalments.
WITH
broken AS (
    SELECT i.id, row_number() OVER (ORDER BY i.id) AS place
    FROM (SELECT DISTINCT parent_key AS key FROM invoice WHERE parent_key IS NOT NULL) AS w
    CROSS JOIN invoice AS i ON i.key = w.key
    WHERE
        i.amount_minor <> 0 OR i.open_minor <> 0 OR i.parent_key IS NOT NULL
        OR EXISTS (
            SELECT 1 FROM invoice AS p
            WHERE
                p.parent_key = i.key
                AND (p.customer_key <> i.customer_key OR p.currency <> i.currency OR p.issued_on <> i.issued_on)
        )
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
