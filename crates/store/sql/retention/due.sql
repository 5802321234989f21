-- ?1: after this customer, ?2: up to this one, ?3: at most so many, ?4: the last day, in UTC, on which anything may have
-- been recorded, ?5: what stands in the place of a text that was taken away.
-- Gives [key, id, moment] of closed customers of whom nothing is open, nothing was recorded after the day, and not all was
-- taken away since: the moment of what was recorded last. A customer of whom no moment is known is none of them. What was
-- recorded of duplicates that were merged into it counts as far as it moved to it.
WITH
idle AS MATERIALIZED (
    SELECT c.key, c.id, c.entry_key
    FROM customer AS c
    WHERE
        c.key > ?1 AND c.key <= ?2 AND c.status = 'closed' AND c.merged_key IS NULL
        -- Who was erased and of whom nothing came since is most of them after some years, and is told at once.
        AND (
            c.name <> ?5
            OR EXISTS (SELECT 1 FROM audit WHERE audit.customer_key = c.key AND audit.personal IS NOT NULL)
            OR EXISTS (SELECT 1 FROM inbound_event AS ie WHERE ie.customer_key = c.key AND ie.body IS NOT NULL)
            OR EXISTS (SELECT 1 FROM notice AS no WHERE no.customer_key = c.key AND no.subject <> ?5)
        )
        AND NOT EXISTS (SELECT 1 FROM customer AS m WHERE m.parent_key = c.key AND m.status <> 'closed')
        AND NOT EXISTS (SELECT 1 FROM invoice AS i WHERE i.customer_key = c.key AND i.open_minor > 0)
        AND NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.customer_key = c.key AND p.unallocated_minor > 0)
        AND NOT EXISTS (SELECT 1 FROM dispute AS d WHERE d.customer_key = c.key AND d.outcome IS NULL AND d.minor > 0)
        AND NOT EXISTS (SELECT 1 FROM default_record AS f WHERE f.customer_key = c.key AND f.state = 'open')
        AND NOT EXISTS (
            SELECT 1 FROM invoice AS i CROSS JOIN write_off AS w ON w.invoice_key = i.key
            WHERE i.customer_key = c.key AND w.state = 'pending'
        )
        AND NOT EXISTS (
            SELECT 1 FROM credit_order AS o
            WHERE
                o.customer_key = c.key AND o.until_on = '9999-12-31'
                AND (o.undelivered_minor > 0 OR o.unbilled_minor > 0)
        )
),
-- Checks that are not filed yet.
late_check AS MATERIALIZED (
    SELECT k.customer_key, max(k.at) AS at
    FROM credit_filing AS f CROSS JOIN credit_check AS k ON k.key > f.upto_key
    WHERE f.one = 1
    GROUP BY k.customer_key
),
-- The last audit entry that anything of theirs names, and the last moment of what has no entry.
last AS MATERIALIZED (
    SELECT
        n.key, n.id,
        max(
            coalesce(n.entry_key, 0),
            coalesce((SELECT max(b.entry_key) FROM customer_former AS b WHERE b.customer_key = n.key), 0),
            coalesce((SELECT max(i.entry_key) FROM invoice AS i WHERE i.customer_key = n.key), 0),
            coalesce((SELECT max(p.entry_key) FROM payment AS p WHERE p.customer_key = n.key), 0),
            coalesce((SELECT max(a.entry_key) FROM allocation AS a WHERE a.customer_key = n.key), 0),
            coalesce((SELECT max(x.entry_key) FROM adjustment AS x WHERE x.customer_key = n.key), 0),
            coalesce((
                SELECT max(max(coalesce(r.entry_key, 0), coalesce(r.undone_entry_key, 0)))
                FROM reversal AS r WHERE r.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(max(rf.entry_key, coalesce(rf.reversed_entry_key, 0)))
                FROM credit_refund AS rf WHERE rf.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(max(coalesce(d.entry_key, 0), coalesce(d.resolved_entry_key, 0)))
                FROM dispute AS d WHERE d.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(max(coalesce(s.entry_key, 0), coalesce(s.resumed_entry_key, 0)))
                FROM pause AS s WHERE s.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(max(coalesce(f.entry_key, 0), coalesce(f.closed_entry_key, 0)))
                FROM default_record AS f WHERE f.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(max(
                    coalesce(w.entry_key, 0), coalesce(w.decided_entry_key, 0), coalesce(w.reversed_entry_key, 0)
                ))
                FROM invoice AS i CROSS JOIN write_off AS w ON w.invoice_key = i.key
                WHERE i.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(e.entry_key) FROM invoice AS i CROSS JOIN interest_entry AS e ON e.invoice_key = i.key
                WHERE i.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(k.entry_key) FROM invoice AS i CROSS JOIN correction AS k ON k.invoice_key = i.key
                WHERE i.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(k.entry_key) FROM payment AS p CROSS JOIN correction AS k ON k.payment_key = p.key
                WHERE p.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(v.entry_key) FROM contract CROSS JOIN contract_version AS v ON v.contract_key = contract.key
                WHERE contract.customer_key = n.key
            ), 0),
            coalesce((SELECT max(u.entry_key) FROM guarantee AS u WHERE u.customer_key = n.key), 0),
            coalesce((SELECT max(y.entry_key) FROM external_fact AS y WHERE y.customer_key = n.key), 0),
            coalesce((
                SELECT max(max(z.entry_key, coalesce(z.ended_entry_key, 0)))
                FROM watch AS z WHERE z.customer_key = n.key
            ), 0),
            coalesce((SELECT max(o.entry_key) FROM credit_order AS o WHERE o.customer_key = n.key), 0),
            coalesce((
                SELECT max(max(h.entry_key, coalesce(h.closed_entry_key, 0)))
                FROM credit_hold AS h WHERE h.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(max(cl.entry_key, coalesce(cl.decided_entry_key, 0)))
                FROM credit_limit AS cl WHERE cl.customer_key = n.key
            ), 0),
            coalesce((
                SELECT max(cr.entry_key) FROM credit_rule AS cr WHERE cr.customer_key = n.key AND cr.replaced = 0
            ), 0),
            coalesce((
                SELECT max(aa.entry_key) FROM alert CROSS JOIN alert_action AS aa ON aa.alert_key = alert.key
                WHERE alert.customer_key = n.key
            ), 0),
            coalesce((SELECT max(q.entry_key) FROM application AS q WHERE q.customer_key = n.key), 0)
        ) AS entry_key,
        max(
            coalesce((SELECT max(j.recorded_at) FROM customer_change AS j WHERE j.customer_key = n.key), ''),
            coalesce((SELECT max(ie.received_at) FROM inbound_event AS ie WHERE ie.customer_key = n.key), ''),
            coalesce((
                SELECT cc.at FROM credit_check AS cc
                WHERE cc.key = (SELECT max(cf.check_key) FROM credit_check_filed AS cf WHERE cf.customer_key = n.key)
            ), ''),
            coalesce((SELECT max(lc.at) FROM late_check AS lc WHERE lc.customer_key = n.key), ''),
            coalesce((SELECT max(rv.made_at) FROM credit_reservation AS rv WHERE rv.customer_key = n.key), ''),
            coalesce((SELECT max(no.created_at) FROM notice AS no WHERE no.customer_key = n.key), '')
        ) AS seen_at
    FROM idle AS n
),
told AS (
    SELECT last.key, last.id, max(coalesce(audit.at, ''), last.seen_at) AS at
    FROM last LEFT JOIN audit ON audit.key = last.entry_key
)
SELECT json_group_array(json_array(key, id, at) ORDER BY key)
FROM (
    SELECT told.key, told.id, told.at
    FROM told
    WHERE
        told.at <> '' AND substr(told.at, 1, 10) <= ?4
        AND NOT EXISTS (
            SELECT 1 FROM audit
            WHERE audit.id = told.id AND audit.noun = 'customer' AND audit.action = 'erase' AND audit.at >= told.at
        )
    ORDER BY told.key
    LIMIT ?3
)
