-- ?1: after this key, ?2: at most so many, ?3: the day, ?4: the last audit entry that counts, ?5: whether the policy has a
-- clause, ?6: whether all is known.
-- Gives the keys of invoices that may bear interest by the day, in their order: those with a clause of which something
-- was open after its due date. Of what was known at a moment all documents of that time are given.
SELECT json_group_array(key ORDER BY key)
FROM (
    SELECT i.key
    FROM invoice AS i
    WHERE
        i.key > ?1 AND i.kind = 'invoice' AND i.parent_key IS NULL AND (?6 = 0 OR i.issued_on < ?3)
        AND (
            ?6 = 0
            OR (
                (
                    ?5 = 1
                    OR EXISTS (
                        SELECT 1 FROM contract_version AS v
                        WHERE v.key = i.version_key AND v.document ->> 'late_interest' IS NOT NULL
                    )
                )
                AND EXISTS (
                    SELECT 1 FROM invoice AS p
                    WHERE
                        (p.key = i.key OR p.parent_key = i.key) AND p.due_on < ?3
                        AND (
                            p.open_minor > 0
                            OR EXISTS (
                                SELECT 1 FROM allocation AS a
                                WHERE
                                    a.customer_key = p.customer_key AND a.invoice_key = p.key
                                    AND a.allocated_on > p.due_on
                            )
                        )
                )
            )
        )
        AND coalesce(i.entry_key, 0) <= ?4
    ORDER BY i.key
    LIMIT ?2
)
