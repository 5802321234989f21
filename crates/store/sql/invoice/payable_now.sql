-- ?1: a document's key. Gives what money for it can pay: what is open of it and its instalments, and what stands of their
-- write-offs, which money recovers.
SELECT
    coalesce(
        sum(
            i.open_minor
            + coalesce(
                (
                    SELECT sum(a.amount_minor)
                    FROM write_off AS w
                    CROSS JOIN adjustment AS x ON x.id = 'write-off/' || w.id
                    CROSS JOIN allocation AS a ON a.adjustment_key = x.key AND a.invoice_key = i.key
                    WHERE w.invoice_key IN (i.key, i.parent_key)
                ),
                0
            )
        ),
        0
    )
FROM invoice AS i
WHERE i.key = ?1 OR i.parent_key = ?1
