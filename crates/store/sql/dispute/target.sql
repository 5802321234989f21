-- ?1: id of a document or instalment, ?2: the day.
-- Gives [[key, customer_key, kind, open, contested]]: what was open on the day, and what of it is contested on the day
-- or now.
SELECT
    json_group_array(
        json_array(
            i.key, i.customer_key, i.kind,
            CASE WHEN i.issued_on > ?2 THEN 0 ELSE i.open_minor + coalesce(
                (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE a.customer_key = i.customer_key AND a.invoice_key = i.key AND a.allocated_on > ?2
                ), 0
            ) END,
            coalesce(
                (
                    SELECT sum(d.minor) FROM dispute AS d
                    WHERE d.invoice_key = i.key AND (d.outcome IS NULL OR d.resolved_on > ?2)
                ), 0
            )
        )
    )
FROM invoice AS i
WHERE i.id = ?1
