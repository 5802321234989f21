-- ?1: keys of invoices, ?2: the last audit entry that counts.
-- Gives [customer_key, key, issued_on, due_on, amount, currency, version_key, signed_on, changes, disputes, parent_key]
-- of each: changes are [day, minor taken off], disputes [first day, minor, day decided, minor upheld].
SELECT
    json_group_array(
        json_array(
            i.customer_key, i.key, i.issued_on, i.due_on, i.amount_minor, i.currency, i.version_key, v.signed_on,
            json((
                SELECT json_group_array(json_array(allocated_on, minor))
                FROM (
                    SELECT a.allocated_on, sum(a.amount_minor) AS minor
                    FROM allocation AS a
                    WHERE
                        a.customer_key = i.customer_key AND a.invoice_key = i.key
                        AND (a.entry_key IS NULL OR a.entry_key <= ?2)
                    GROUP BY a.allocated_on
                    HAVING minor <> 0
                )
            )),
            json((
                SELECT
                    json_group_array(
                        json_array(
                            d.opened_on,
                            iif(coalesce(d.resolved_entry_key, 0) <= ?2, d.minor, coalesce(f.minor, d.minor)),
                            iif(coalesce(d.resolved_entry_key, 0) <= ?2, d.resolved_on, f.resolved_on),
                            coalesce(iif(coalesce(d.resolved_entry_key, 0) <= ?2, d.upheld_minor, f.upheld_minor), 0)
                        )
                    )
                FROM dispute AS d
                LEFT JOIN dispute_former AS f
                    ON f.dispute_key = d.key AND f.entry_key <= ?2 AND f.until_entry_key > ?2
                WHERE d.invoice_key = i.key AND (d.entry_key IS NULL OR d.entry_key <= ?2)
            )),
            i.parent_key
        )
    )
FROM json_each(?1) AS j
CROSS JOIN invoice AS i ON i.key = j.value
LEFT JOIN contract_version AS v ON v.key = i.version_key
