-- ?1: keys of customers as a JSON array, ?2: the last entry of the audit chain that was known, or null.
-- Gives [customer_key, invoice_key, from_on, to_on, resumed_on]; a pause of a document also for its instalments.
WITH
known AS (
    SELECT
        p.customer_key, p.invoice_key, p.from_on, p.to_on,
        CASE
            WHEN ?2 IS NULL OR coalesce(p.resumed_entry_key, 0) <= ?2 THEN p.resumed_on
            ELSE (
                SELECT f.resumed_on FROM pause_former AS f WHERE f.pause_key = p.key AND f.entry_key <= ?2
                ORDER BY f.entry_key DESC LIMIT 1
            )
        END AS resumed_on
    FROM json_each(?1) AS j CROSS JOIN pause AS p ON p.customer_key = j.value
    WHERE ?2 IS NULL OR coalesce(p.entry_key, 0) <= ?2
)
SELECT json_group_array(json_array(customer_key, invoice_key, from_on, to_on, resumed_on))
FROM (
    SELECT * FROM known
    UNION ALL
    SELECT k.customer_key, i.key, k.from_on, k.to_on, k.resumed_on
    FROM known AS k CROSS JOIN invoice AS i ON i.parent_key = k.invoice_key
)
