-- ?1: keys of documents as a JSON array, ?2: the last entry of the audit chain that was known, or null.
-- Gives [invoice_key, opened_on, minor, resolved_on, upheld_minor, outcome]; how much and its end as it was known then. What
-- is contested as a whole was what the document said then.
WITH
known AS (
    SELECT
        d.*, (?2 IS NULL OR coalesce(d.resolved_entry_key, 0) <= ?2) AS ended, f.resolved_on AS former_on,
        f.upheld_minor AS former_upheld, f.outcome AS former_outcome, f.minor AS former_minor
    FROM json_each(?1) AS j
    CROSS JOIN dispute AS d ON d.invoice_key = j.value
    LEFT JOIN dispute_former AS f ON f.dispute_key = d.key AND f.entry_key <= ?2 AND f.until_entry_key > ?2
    WHERE ?2 IS NULL OR coalesce(d.entry_key, 0) <= ?2
    ORDER BY d.invoice_key, d.opened_on, d.key
)
SELECT
    json_group_array(
        json_array(
            invoice_key, opened_on,
            coalesce(
                (
                    SELECT c.before ->> 'amount_minor' FROM correction AS c
                    WHERE
                        known.id LIKE 'whole/%' AND known.whole_key IS NULL AND c.invoice_key = known.invoice_key
                        AND c.entry_key > ?2 AND c.entry_key < coalesce(known.resolved_entry_key, c.entry_key + 1)
                        AND c.before ->> 'amount_minor' IS NOT NULL
                    ORDER BY c.key LIMIT 1
                ),
                iif(ended, minor, coalesce(former_minor, minor))
            ),
            iif(ended, resolved_on, former_on), iif(ended, upheld_minor, former_upheld),
            iif(ended, outcome, former_outcome)
        )
    )
FROM known
