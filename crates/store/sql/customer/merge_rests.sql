-- ?1: the customer that stayed, with all that was of the one that is gone, ?2: the audit entry.
-- What rested on a default that the merge withdrew rests on the one that was kept in its place, in the group of now; that one
-- stands by itself.
UPDATE default_record
SET rests_on_key = nullif(kept.key, default_record.key)
FROM default_record AS gone, default_record AS kept
WHERE
    gone.customer_key = ?1 AND gone.state = 'withdrawn' AND gone.closed_entry_key = ?2
    AND kept.customer_key = ?1 AND kept.state = 'open' AND kept.by_rule = 1 AND kept.currency = gone.currency
    AND default_record.rests_on_key = gone.key AND default_record.state = 'open'
    AND default_record.customer_key IN (
        SELECT coalesce(c.parent_key, c.key) FROM customer AS c WHERE c.key = ?1
        UNION ALL
        SELECT m.key
        FROM customer AS c CROSS JOIN customer AS m ON m.parent_key = coalesce(c.parent_key, c.key)
        WHERE c.key = ?1
    )
