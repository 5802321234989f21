-- ?1: id of a customer, ?2: today, ?3: now, ?4: 1 to look for its usual terms, ?5: the order that is asked about or null.
-- Gives the position of the domain as it is now, whether a check holds the order, and the time zone and the language of
-- the organisation. Documents of other members of the group are summed up. Nothing where
-- anything is allocated on a later day, which credit/position_then.sql reads, and where there is no such customer.
SELECT
    json_object(
        'key', own.key, 'id', own.id, 'status', own.status,
        'merged', iif(
            own.merged_key IS NULL, NULL, (SELECT m.id FROM customer AS m WHERE m.key = own.merged_key)
        ),
        'currency', own.currency,
        'limit', iif(own.limit_minor IS NULL, NULL, json_array(own.limit_minor, own.limit_currency)),
        'second_key_from', json(
            (SELECT y.document -> '$.second_key_from' FROM limit_policy AS y ORDER BY y.key DESC LIMIT 1)
        ),
        'head', iif(
            near.key IS NULL,
            NULL,
            (
                SELECT
                    json_array(
                        h.key, h.id,
                        json(iif(h.limit_minor IS NULL, 'null', json_array(h.limit_minor, h.limit_currency)))
                    )
                FROM customer AS h WHERE h.key = coalesce(own.parent_key, own.key)
            )
        ),
        'grade', score.grade,
        -- That of before the last change under this version of its card, whichever sweep found it: looked for where a rule
        -- asks.
        'grade_before', iif(
            EXISTS (
                SELECT 1 FROM credit_rule AS k
                WHERE
                    k.replaced = 0 AND k.customer_key IS NULL AND k.group_key IS NULL
                    AND k.document ->> 'kind' = 'score-drop'
            ) OR EXISTS (
                SELECT 1 FROM credit_rule AS k
                WHERE k.replaced = 0 AND k.customer_key = own.key AND k.document ->> 'kind' = 'score-drop'
            ) OR EXISTS (
                SELECT 1 FROM credit_rule AS k
                WHERE
                    k.replaced = 0 AND k.group_key = coalesce(own.parent_key, own.key)
                    AND k.document ->> 'kind' = 'score-drop'
            ),
            (
                SELECT c.grade FROM score_change AS c
                WHERE
                    c.customer_key = own.key AND c.as_of < score.as_of AND c.grade IS NOT score.grade
                    AND c.model = score.model
                ORDER BY c.as_of DESC LIMIT 1
            ),
            NULL
        ),
        -- Of who was merged into it since its last sweep, which knew nothing of their debts.
        'merged_grades', (
            SELECT
                json_group_array(
                    json_array(
                        judged.grade,
                        (
                            SELECT earlier.grade FROM score_change AS earlier
                            WHERE
                                earlier.customer_key = gone.key AND earlier.as_of < judged.as_of
                                AND earlier.grade IS NOT judged.grade AND earlier.model = judged.model
                            ORDER BY earlier.as_of DESC LIMIT 1
                        )
                    )
                )
            FROM customer AS gone
            CROSS JOIN score_change AS judged ON judged.customer_key = gone.key
            WHERE
                gone.merged_key = own.key AND gone.merged_on >= coalesce(score.as_of, '')
                AND judged.as_of = (
                    SELECT max(latest.as_of) FROM score_change AS latest
                    WHERE latest.customer_key = gone.key AND latest.as_of <= ?2
                )
        ),
        'ledger', (
            SELECT
                json_group_array(
                    json_array(
                        l.kind, l.minor, l.currency, l.unlimited, l.mandatory, l.from_on, l.to_on, l.id, l.counts_key
                    )
                )
            FROM credit_limit AS l
            WHERE
                l.customer_key IN (own.key, coalesce(own.parent_key, own.key)) AND l.counts_key > 0
                AND iif(l.kind = 'group', l.customer_key = coalesce(own.parent_key, own.key), l.customer_key = own.key)
        ),
        'pieces', (
            SELECT
                json_group_array(
                    json_array(
                        p.member, p.component, p.currency, p.minor, min(p.contested, p.minor), p.contract_key, p.id,
                        p.order_id, p.due_on, p.count
                    )
                )
            FROM (
                SELECT
                    own.key AS member,
                    CASE
                        WHEN i.kind = 'credit-note' THEN 'unapplied'
                        WHEN i.due_on < ?2 THEN 'overdue-invoices'
                        ELSE 'open-invoices'
                    END AS component,
                    i.currency, i.open_minor AS minor, iif(i.kind = 'credit-note', 0, i.disputed_minor) AS contested,
                    iif(
                        i.kind = 'credit-note' OR i.version_key IS NULL, NULL,
                        (SELECT v.contract_key FROM contract_version AS v WHERE v.key = i.version_key)
                    ) AS contract_key,
                    i.id, NULL AS order_id, iif(i.kind = 'credit-note', NULL, i.due_on) AS due_on, 1 AS count
                FROM invoice AS i
                WHERE i.customer_key = own.key AND i.open_minor > 0 AND i.issued_on <= ?2
                UNION ALL
                SELECT own.key, 'unapplied', m.currency, m.unallocated_minor, 0, NULL, m.id, NULL, NULL, 1
                FROM payment AS m
                WHERE m.customer_key = own.key AND m.unallocated_minor > 0 AND m.received_on <= ?2
                UNION ALL
                SELECT own.key, 'undelivered', o.currency, o.undelivered_minor, 0, NULL, o.id, o.id, NULL, 1
                FROM credit_order AS o
                WHERE
                    o.customer_key = own.key AND o.until_on > ?2 AND o.from_on <= ?2
                    AND (o.undelivered_minor > 0 OR o.unbilled_minor > 0) AND o.undelivered_minor > 0
                UNION ALL
                SELECT own.key, 'unbilled', o.currency, o.unbilled_minor, 0, NULL, o.id, o.id, NULL, 1
                FROM credit_order AS o
                WHERE
                    o.customer_key = own.key AND o.until_on > ?2 AND o.from_on <= ?2
                    AND (o.undelivered_minor > 0 OR o.unbilled_minor > 0) AND o.unbilled_minor > 0
                UNION ALL
                -- All count that were made: a request may have come a moment before one that was served first.
                SELECT
                    own.key, 'orders-reserved', r.currency, r.minor, 0, NULL, r.id, coalesce(r.order_id, r.id), NULL, 1
                FROM credit_reservation AS r
                WHERE r.customer_key = own.key AND r.until_at > ?3
            ) AS p
        ),
        -- What the others of its group add and what secures it: looked for where there are any.
        'members', iif(
            near.key IS NULL,
            NULL,
            (
                WITH other AS MATERIALIZED (
                    SELECT c.key FROM customer AS c
                    WHERE c.parent_key = coalesce(own.parent_key, own.key) AND c.key <> own.key
                    UNION ALL
                    SELECT own.parent_key WHERE own.parent_key IS NOT NULL
                )
                SELECT
                    json_array(
                        (
                            SELECT
                                json_group_array(
                                    json_array(
                                        s.member, s.component, s.currency, s.minor, 0, s.contract_key, NULL, NULL, NULL,
                                        s.count
                                    )
                                )
                            FROM (
                                SELECT
                                    g.member, g.component, g.currency, sum(g.minor) AS minor, g.contract_key,
                                    count(*) AS count
                                FROM (
                                    SELECT
                                        other.key AS member,
                                        CASE
                                            WHEN i.kind = 'credit-note' THEN 'unapplied'
                                            WHEN i.due_on < ?2 THEN 'overdue-invoices'
                                            ELSE 'open-invoices'
                                        END AS component,
                                        i.currency, i.open_minor AS minor,
                                        iif(
                                            i.kind = 'credit-note' OR i.version_key IS NULL, NULL,
                                            (SELECT v.contract_key FROM contract_version AS v WHERE v.key = i.version_key)
                                        ) AS contract_key
                                    FROM other CROSS JOIN invoice AS i ON i.customer_key = other.key
                                    WHERE i.open_minor > 0 AND i.issued_on <= ?2
                                    UNION ALL
                                    SELECT other.key, 'unapplied', m.currency, m.unallocated_minor, NULL
                                    FROM other CROSS JOIN payment AS m ON m.customer_key = other.key
                                    WHERE m.unallocated_minor > 0 AND m.received_on <= ?2
                                    UNION ALL
                                    SELECT other.key, part.value ->> 0, o.currency, part.value ->> 1, NULL
                                    FROM other
                                    CROSS JOIN credit_order AS o ON o.customer_key = other.key
                                    CROSS JOIN
                                        json_each(
                                            json_array(
                                                json_array('undelivered', o.undelivered_minor), json_array('unbilled', o.unbilled_minor)
                                            )
                                        ) AS part
                                    WHERE
                                        o.until_on > ?2 AND o.from_on <= ?2 AND (o.undelivered_minor > 0 OR o.unbilled_minor > 0)
                                        AND part.value ->> 1 > 0
                                    UNION ALL
                                    SELECT other.key, 'orders-reserved', r.currency, r.minor, NULL
                                    FROM other CROSS JOIN credit_reservation AS r ON r.customer_key = other.key
                                    WHERE r.until_at > ?3
                                ) AS g
                                GROUP BY g.member, g.component, g.currency, g.contract_key
                            ) AS s
                        ),
                        (
                            SELECT
                                json_group_array(
                                    json_array(g.customer_key, g.currency, g.contract_key, g.amount_minor, g.share, g.id)
                                )
                            FROM other CROSS JOIN guarantee AS g ON g.customer_key = other.key
                            WHERE
                                g.valid_from <= ?2 AND (g.valid_to IS NULL OR g.valid_to >= ?2)
                                AND (g.claim_by IS NULL OR g.claim_by >= ?2)
                        )
                    )
            )
        ),
        'guarantees', (
            SELECT
                json_group_array(
                    json_array(g.customer_key, g.currency, g.contract_key, g.amount_minor, g.share, g.id)
                )
            FROM guarantee AS g
            WHERE
                g.customer_key = own.key AND g.valid_from <= ?2 AND (g.valid_to IS NULL OR g.valid_to >= ?2)
                AND (g.claim_by IS NULL OR g.claim_by >= ?2)
        ),
        'rules', (
            SELECT json_group_array(json_array(k.name, k.version, k.level, json_remove(k.document, '$.reason')))
            FROM (
                SELECT name, version, 'customer' AS level, document FROM credit_rule
                WHERE customer_key = own.key AND replaced = 0 AND customer_key IS NOT NULL
                UNION ALL
                SELECT name, version, 'group', document FROM credit_rule
                WHERE group_key = coalesce(own.parent_key, own.key) AND replaced = 0 AND group_key IS NOT NULL
                UNION ALL
                SELECT name, version, 'all', document FROM credit_rule
                WHERE replaced = 0 AND customer_key IS NULL AND group_key IS NULL
            ) AS k
        ),
        'placed', (
            SELECT json_group_array(json_array(h.id, h.order_id, json(h.rules))) FROM credit_hold AS h
            WHERE h.customer_key = own.key AND h.state = 'held' AND (h.minor IS NULL OR h.verdict = 'forced-hold')
        ),
        'released', (
            SELECT
                json_group_array(
                    json_array(
                        h.id, h.order_id, json_array(h.minor, h.currency), json(h.rules), h.verdict, h.base_minor
                    )
                )
            FROM credit_hold AS h
            WHERE h.customer_key = own.key AND h.released_until > ?3 AND h.minor IS NOT NULL
        ),
        'done', (
            SELECT json_array(o.invoiced_minor, o.cancelled_minor, o.currency) FROM credit_order AS o
            WHERE o.id = ?5 AND o.until_on > ?2 AND o.from_on <= ?2 AND o.customer_key = own.key
        ),
        'broken_promises', (
            SELECT count(*) FROM default_record AS d
            WHERE d.customer_key = own.key AND d.state = 'open' AND d.kind = 'broken-plan'
        ),
        'legal_stage', EXISTS (
            SELECT 1 FROM default_record AS d
            WHERE d.customer_key = own.key AND d.state = 'open' AND d.kind = 'legal-action'
        ),
        'limit_waits', EXISTS (
            SELECT 1 FROM credit_limit AS l
            WHERE
                l.customer_key IN (own.key, own.parent_key) AND l.counts_key IS NULL
                AND l.state = 'pending' AND l.source = 'key'
                -- One of a group that is one, or of its own, that would hold today.
                AND iif(
                    l.kind = 'group', near.key IS NOT NULL AND l.customer_key = coalesce(own.parent_key, own.key),
                    l.customer_key = own.key
                )
                AND l.from_on <= ?2 AND coalesce(l.to_on, ?2) >= ?2
        ),
        'other_order', coalesce(
            (SELECT q.document ->> '$.order' FROM policy AS q ORDER BY q.key DESC LIMIT 1), 'oldest-due-first'
        ) <> 'oldest-due-first',
        'usual_terms', iif(
            ?4 = 1,
            (
                SELECT CAST(julianday(i.due_on) - julianday(i.issued_on) AS INTEGER) FROM invoice AS i
                WHERE
                    i.customer_key = own.key AND i.kind = 'invoice' AND i.issued_on <= ?2 AND i.amount_minor > 0
                    AND NOT EXISTS (
                        SELECT 1 FROM adjustment AS w
                        WHERE w.id = 'void/' || i.id AND w.until_on IS NULL AND w.booked_on <= ?2
                    )
                ORDER BY i.issued_on DESC, i.key DESC LIMIT 1
            ),
            NULL
        )
    ) AS position,
    ?5 IS NOT NULL AND EXISTS (
        SELECT 1 FROM credit_hold AS h
        WHERE h.customer_key = own.key AND h.order_id = ?5 AND h.state = 'held' AND h.minor IS NOT NULL
    ) AS waits,
    us.time_zone, us.language
FROM customer AS own
CROSS JOIN organisation AS us ON us.one = 1
LEFT JOIN score ON score.customer_key = own.key
-- Somebody else of its group, if there is anybody.
LEFT JOIN customer AS near
    ON near.key = coalesce(own.parent_key, (SELECT min(c.key) FROM customer AS c WHERE c.parent_key = own.key))
WHERE
    own.id = ?1
    AND NOT EXISTS (
        SELECT 1 FROM allocation AS a
        WHERE
            a.allocated_on > ?2
            AND EXISTS (
                SELECT 1 FROM customer AS c
                WHERE
                    c.key = a.customer_key
                    AND coalesce(c.parent_key, c.key) = coalesce(own.parent_key, own.key)
            )
    )
