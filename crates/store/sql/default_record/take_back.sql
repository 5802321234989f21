-- ?1: id of a default that somebody withdraws, ?2: the day.
-- Of one that the rule opened it is kept what it was about: what was due of the account, and what was open in the group.
INSERT INTO default_taken_back (default_key, invoice_key, other_key)
SELECT d.key, i.key, NULL
FROM default_record AS d
CROSS JOIN invoice AS i ON i.customer_key = d.customer_key AND i.currency = d.currency AND i.due_on <= ?2
WHERE d.id = ?1 AND d.by_rule = 1 AND i.kind <> 'credit-note'
UNION ALL
SELECT d.key, NULL, o.key
FROM default_record AS d
CROSS JOIN customer AS c ON c.key = d.customer_key
CROSS JOIN customer AS m
    ON m.key IN (
        SELECT coalesce(c.parent_key, c.key)
        UNION ALL
        SELECT g.key FROM customer AS g WHERE g.parent_key = coalesce(c.parent_key, c.key)
    )
CROSS JOIN default_record AS o ON o.customer_key = m.key
WHERE d.id = ?1 AND d.by_rule = 1 AND o.key <> d.key AND o.by_rule = 1 AND o.state = 'open' AND o.rests_on_key IS NULL
