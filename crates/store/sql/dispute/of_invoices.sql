-- ?1: keys of documents as a JSON array, ?2: the last entry of the audit chain that was known, or null.
-- Gives [invoice_key, opened_on, minor, resolved_on, upheld_minor, outcome]; what was not known of its end is null.
WITH
known AS (
    SELECT d.*, (?2 IS NULL OR coalesce(d.resolved_entry_key, 0) <= ?2) AS ended
    FROM json_each(?1) AS j CROSS JOIN dispute AS d ON d.invoice_key = j.value
    WHERE ?2 IS NULL OR coalesce(d.entry_key, 0) <= ?2
    ORDER BY d.invoice_key, d.opened_on, d.key
)
SELECT
    json_group_array(
        json_array(
            invoice_key, opened_on, minor, iif(ended, resolved_on, NULL), iif(ended, upheld_minor, NULL),
            iif(ended, outcome, NULL)
        )
    )
FROM known
