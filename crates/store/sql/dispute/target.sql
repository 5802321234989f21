-- ?1: id of a document or instalment, ?2: the day.
-- Gives [[key, customer_key, kind, [[key, id, open, contested]]]]: of the document or its instalments, oldest due first,
-- what was open on the day, and what of it is contested on the day or now.
WITH
named AS (SELECT * FROM invoice WHERE id = ?1),
claim AS (
    SELECT i.* FROM named AS n CROSS JOIN invoice AS i ON i.parent_key = n.key
    UNION ALL
    SELECT n.* FROM named AS n WHERE NOT EXISTS (SELECT 1 FROM invoice AS i WHERE i.parent_key = n.key)
),
stood AS (
    SELECT
        i.key, i.id, i.due_on,
        CASE WHEN i.issued_on > ?2 THEN 0 ELSE i.open_minor + coalesce(
            (
                SELECT sum(a.amount_minor) FROM allocation AS a
                WHERE a.customer_key = i.customer_key AND a.invoice_key = i.key AND a.allocated_on > ?2
            ), 0
        ) END AS open_minor,
        coalesce(
            (
                SELECT sum(d.minor) FROM dispute AS d
                WHERE d.invoice_key = i.key AND (d.outcome IS NULL OR d.resolved_on > ?2)
            ), 0
        ) AS contested_minor
    FROM claim AS i
    ORDER BY i.due_on, i.key
)
SELECT
    json_group_array(
        json_array(
            n.key, n.customer_key, n.kind,
            json((SELECT json_group_array(json_array(s.key, s.id, s.open_minor, s.contested_minor)) FROM stood AS s))
        )
    )
FROM named AS n
