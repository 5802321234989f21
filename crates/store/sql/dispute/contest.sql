-- ?1: keys of documents as a JSON array.
-- Brings what they say into line with their open disputes.
UPDATE invoice
SET
    disputed = EXISTS (
        SELECT 1 FROM dispute AS d WHERE d.invoice_key = invoice.key AND d.outcome IS NULL AND d.minor > 0
    ),
    disputed_minor = min(
        amount_minor, coalesce(
            (SELECT sum(d.minor) FROM dispute AS d WHERE d.invoice_key = invoice.key AND d.outcome IS NULL), 0
        )
    )
WHERE key IN (SELECT value FROM json_each(?1))
