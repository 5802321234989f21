-- ?1: key of a customer, ?2: the day, ?3: its last moment, ?4: keys of its group then as a JSON array, ?5: the head of the
-- group, ?6: 1 to look for its usual terms, ?7: the last audit entry that was known, ?8: the last moment of what was
-- reserved, or null for all, ?9: the order that is asked about or null.
-- Gives the position of the domain at the end of the day as known then: credit/position.sql from the ground up. What the
-- records of the customer and of its head say is not in it. Grades are those that sweeps found by the day.
WITH
member AS MATERIALIZED (SELECT value AS key FROM json_each(?4)),
-- What a document said then: a correction that came later is undone.
document AS MATERIALIZED (
    SELECT
        i.key, i.id, i.customer_key, i.currency, i.kind, i.version_key,
        coalesce(
            (
                SELECT c.before ->> 'issued_on' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?7 AND c.before ->> 'issued_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.issued_on
        ) AS issued_on,
        coalesce(
            (
                SELECT c.before ->> 'due_on' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?7 AND c.before ->> 'due_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.due_on
        ) AS due_on,
        coalesce(
            (
                SELECT c.before ->> 'amount_minor' FROM correction AS c
                WHERE c.invoice_key = i.key AND c.entry_key > ?7 AND c.before ->> 'amount_minor' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), i.amount_minor
        ) AS amount_minor
    FROM member CROSS JOIN invoice AS i ON i.customer_key = member.key
    WHERE coalesce(i.entry_key, 0) <= ?7
),
money AS MATERIALIZED (
    SELECT
        p.key, p.id, p.customer_key, p.currency, p.converted_minor,
        coalesce(
            (
                SELECT c.before ->> 'received_on' FROM correction AS c
                WHERE c.payment_key = p.key AND c.entry_key > ?7 AND c.before ->> 'received_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), p.received_on
        ) AS received_on,
        coalesce(
            (
                SELECT c.before ->> 'amount_minor' FROM correction AS c
                WHERE c.payment_key = p.key AND c.entry_key > ?7 AND c.before ->> 'amount_minor' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), p.amount_minor
        ) AS amount_minor
    FROM member CROSS JOIN payment AS p ON p.customer_key = member.key
    WHERE coalesce(p.entry_key, 0) <= ?7
),
-- What was set off by the day, as far as it was known.
used AS MATERIALIZED (
    SELECT a.invoice_key, a.credit_key, a.payment_key, a.amount_minor
    FROM member CROSS JOIN allocation AS a ON a.customer_key = member.key
    WHERE a.allocated_on <= ?2 AND coalesce(a.entry_key, 0) <= ?7
),
used_of_document AS MATERIALIZED (
    SELECT key, sum(minor) AS minor
    FROM (
        SELECT invoice_key AS key, amount_minor AS minor FROM used WHERE invoice_key IS NOT NULL
        UNION ALL
        SELECT credit_key, amount_minor FROM used WHERE credit_key IS NOT NULL
    )
    GROUP BY key
),
used_of_payment AS MATERIALIZED (
    SELECT payment_key AS key, sum(amount_minor) AS minor FROM used WHERE payment_key IS NOT NULL GROUP BY payment_key
),
contested AS MATERIALIZED (
    SELECT
        d.invoice_key AS key,
        sum(iif(coalesce(d.resolved_entry_key, 0) <= ?7, d.minor, coalesce(f.minor, d.minor))) AS minor
    FROM document
    CROSS JOIN dispute AS d ON d.invoice_key = document.key
    LEFT JOIN dispute_former AS f ON f.dispute_key = d.key AND f.entry_key <= ?7 AND f.until_entry_key > ?7
    WHERE
        d.opened_on <= ?2 AND coalesce(d.entry_key, 0) <= ?7
        AND NOT coalesce(
            iif(coalesce(d.resolved_entry_key, 0) <= ?7, d.resolved_on, f.resolved_on) <= ?2, 0
        )
    GROUP BY d.invoice_key
),
-- Each piece with the document it comes from.
piece AS MATERIALIZED (
    SELECT
        d.customer_key AS member,
        CASE
            WHEN d.kind = 'credit-note' THEN 'unapplied'
            WHEN d.due_on < ?2 THEN 'overdue-invoices'
            ELSE 'open-invoices'
        END AS component,
        d.currency,
        d.amount_minor - coalesce(u.minor, 0) AS minor,
        iif(d.kind = 'credit-note', 0, coalesce(contested.minor, 0)) AS contested,
        iif(
            d.kind = 'credit-note' OR d.version_key IS NULL, NULL,
            (SELECT v.contract_key FROM contract_version AS v WHERE v.key = d.version_key)
        ) AS contract_key,
        d.id, NULL AS order_id, iif(d.kind = 'credit-note', NULL, d.due_on) AS due_on
    FROM document AS d
    LEFT JOIN used_of_document AS u ON u.key = d.key
    LEFT JOIN contested ON contested.key = d.key
    WHERE d.issued_on <= ?2
    UNION ALL
    SELECT
        m.customer_key, 'unapplied', m.currency, m.amount_minor - m.converted_minor - coalesce(u.minor, 0), 0, NULL, m.id,
        NULL, NULL
    FROM money AS m LEFT JOIN used_of_payment AS u ON u.key = m.key
    WHERE m.received_on <= ?2
    UNION ALL
    SELECT o.customer_key, part.value ->> 0, o.currency, part.value ->> 1, 0, NULL, o.id, o.id, NULL
    FROM member
    CROSS JOIN credit_order AS o ON o.customer_key = member.key
    CROSS JOIN
        json_each(
            json_array(
                json_array('undelivered', o.undelivered_minor), json_array('unbilled', o.unbilled_minor)
            )
        ) AS part
    WHERE
        o.from_on <= ?2 AND o.entry_key <= ?7 AND part.value ->> 1 > 0
        AND NOT EXISTS (
            SELECT 1 FROM credit_order AS n
            WHERE n.id = o.id AND n.key > o.key AND n.from_on <= ?2 AND n.entry_key <= ?7
        )
    UNION ALL
    SELECT
        r.customer_key, 'orders-reserved', r.currency, r.minor, 0, NULL, r.id, coalesce(r.order_id, r.id), NULL
    FROM member CROSS JOIN credit_reservation AS r ON r.customer_key = member.key
    WHERE
        (?8 IS NULL OR r.made_at <= ?8) AND r.entry_key <= ?7
        AND iif(coalesce(r.ended_entry_key, 0) > ?7, r.expires_at, r.until_at) > ?3
),
-- The customer's own one by one, those of others in sum.
told AS (
    SELECT
        piece.member, piece.component, piece.currency, piece.minor, piece.contested, piece.contract_key, piece.id,
        piece.order_id, piece.due_on, 1 AS count
    FROM piece
    WHERE piece.member = ?1 AND piece.minor > 0
    UNION ALL
    SELECT
        piece.member, piece.component, piece.currency, sum(piece.minor), 0, piece.contract_key, NULL, NULL, NULL,
        count(*)
    FROM piece
    WHERE piece.member <> ?1 AND piece.minor > 0
    GROUP BY piece.member, piece.component, piece.currency, piece.contract_key
),
secured AS MATERIALIZED (
    SELECT g.key FROM member CROSS JOIN guarantee AS g ON g.customer_key = member.key
    UNION
    SELECT f.guarantee_key FROM member
    CROSS JOIN guarantee_former AS f ON f.customer_key = member.key AND f.entry_key > ?7
),
-- A guarantee that was replaced later reads as before.
borne AS (
    SELECT
        g.id,
        coalesce(f.customer_key, g.customer_key) AS customer_key,
        iif(f.key IS NULL, g.contract_key, f.contract_key) AS contract_key,
        coalesce(f.document ->> '$.amount.currency', g.currency) AS currency,
        coalesce(f.document ->> '$.amount.minor', g.amount_minor) AS amount_minor,
        coalesce(f.document ->> 'share', g.share) AS share,
        coalesce(f.document ->> 'valid_from', g.valid_from) AS valid_from,
        iif(f.key IS NULL, g.valid_to, f.document ->> 'valid_to') AS valid_to,
        iif(f.key IS NULL, g.claim_by, f.document ->> 'claim_by') AS claim_by
    FROM secured
    CROSS JOIN guarantee AS g ON g.key = secured.key
    LEFT JOIN guarantee_former AS f ON f.key = (
        SELECT min(e.key) FROM guarantee_former AS e WHERE e.guarantee_key = g.key AND e.entry_key > ?7
    )
    WHERE coalesce(g.entry_key, 0) <= ?7
),
rule AS (
    SELECT
        k.*,
        CASE WHEN k.customer_key IS NOT NULL THEN 'customer' WHEN k.group_key IS NOT NULL THEN 'group' ELSE 'all' END
            AS level
    FROM credit_rule AS k
    WHERE
        k.entry_key <= ?7 AND coalesce(k.customer_key, ?1) = ?1 AND coalesce(k.group_key, ?5) = ?5
        AND NOT EXISTS (
            SELECT 1 FROM credit_rule AS n WHERE n.name = k.name AND n.key > k.key AND n.entry_key <= ?7
        )
),
failed AS MATERIALIZED (
    SELECT d.kind
    FROM default_record AS d
    LEFT JOIN default_former AS f ON f.default_key = d.key AND f.entry_key <= ?7 AND f.until_entry_key > ?7
    WHERE
        d.customer_key = ?1 AND d.found_on <= ?2 AND coalesce(d.entry_key, 0) <= ?7
        AND NOT coalesce(iif(coalesce(d.closed_entry_key, 0) <= ?7, d.closed_on, f.closed_on) <= ?2, 0)
),
graded AS MATERIALIZED (
    SELECT as_of, grade, model FROM score_change WHERE customer_key = ?1 AND as_of <= ?2
    UNION ALL
    SELECT as_of, grade, model FROM score WHERE customer_key = ?1 AND as_of <= ?2
),
grade AS MATERIALIZED (SELECT as_of, grade, model FROM graded ORDER BY as_of DESC LIMIT 1)
SELECT
    json_object(
        'key', own.key, 'id', own.id, 'status', own.status, 'merged', NULL, 'currency', NULL, 'limit', NULL,
        'second_key_from', json(
            (
                SELECT y.document -> '$.second_key_from' FROM limit_policy AS y WHERE y.entry_key <= ?7
                ORDER BY y.key DESC LIMIT 1
            )
        ),
        'head', NULL,
        'grade', (SELECT grade FROM grade),
        'grade_before', (
            SELECT graded.grade FROM grade CROSS JOIN graded ON graded.grade IS NOT grade.grade
            WHERE graded.model = grade.model
            ORDER BY graded.as_of DESC LIMIT 1
        ),
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
                gone.merged_key = ?1 AND gone.merged_on >= coalesce((SELECT as_of FROM grade), '') AND gone.merged_on <= ?2
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
                l.customer_key IN (?1, ?5) AND l.counts_key > 0 AND l.counts_key <= ?7
                AND iif(l.kind = 'group', l.customer_key = ?5, l.customer_key = ?1)
        ),
        'pieces', (
            SELECT
                json_group_array(
                    json_array(
                        t.member, t.component, t.currency, t.minor, min(t.contested, t.minor), t.contract_key, t.id, t.order_id,
                        t.due_on, t.count
                    )
                )
            FROM told AS t
        ),
        'guarantees', (
            SELECT
                json_group_array(
                    json_array(b.customer_key, b.currency, b.contract_key, b.amount_minor, b.share, b.id)
                )
            FROM borne AS b
            WHERE
                b.valid_from <= ?2 AND (b.valid_to IS NULL OR b.valid_to >= ?2)
                AND (b.claim_by IS NULL OR b.claim_by >= ?2) AND b.customer_key IN (SELECT key FROM member)
        ),
        'rules', (
            SELECT
                json_group_array(
                    json_array(rule.name, rule.version, rule.level, json_remove(rule.document, '$.reason'))
                    ORDER BY rule.key
                )
            FROM rule
        ),
        'placed', (
            SELECT json_group_array(json_array(h.id, h.order_id, json(coalesce(f.rules, h.rules))))
            FROM credit_hold AS h
            -- How it read before a later check changed it.
            LEFT JOIN credit_hold_former AS f ON f.key = (
                SELECT min(e.key) FROM credit_hold_former AS e
                WHERE e.hold_key = h.key AND (e.entry_key > ?7 OR e.changed_at > ?3)
            )
            WHERE
                h.customer_key = ?1 AND h.opened_at <= ?3 AND h.entry_key <= ?7
                AND NOT (h.closed_at IS NOT NULL AND h.closed_at <= ?3 AND h.closed_entry_key <= ?7)
                AND (h.minor IS NULL OR coalesce(f.verdict, h.verdict) = 'forced-hold')
        ),
        'released', (
            SELECT
                json_group_array(
                    json_array(
                        h.id, h.order_id, json_array(h.minor, h.currency), json(h.rules), h.verdict, h.base_minor
                    )
                )
            FROM credit_hold AS h
            WHERE
                h.customer_key = ?1 AND h.released_until > ?3 AND h.closed_at <= ?3 AND h.closed_entry_key <= ?7
                AND h.minor IS NOT NULL
        ),
        'done', (
            SELECT json_array(o.invoiced_minor, o.cancelled_minor, o.currency) FROM credit_order AS o
            WHERE o.id = ?9 AND o.customer_key = ?1 AND o.from_on <= ?2 AND o.entry_key <= ?7
            ORDER BY o.key DESC LIMIT 1
        ),
        'broken_promises', (SELECT count(*) FROM failed WHERE kind = 'broken-plan'),
        'legal_stage', EXISTS (SELECT 1 FROM failed WHERE kind = 'legal-action'),
        'limit_waits', EXISTS (
            SELECT 1 FROM credit_limit AS l
            WHERE
                l.customer_key IN (?1, ?5) AND l.source = 'key' AND l.entry_key <= ?7
                AND iif(
                    l.kind = 'group', json_array_length(?4) > 1 AND l.customer_key = ?5, l.customer_key = ?1
                )
                AND l.from_on <= ?2 AND coalesce(l.to_on, ?2) >= ?2
                AND (
                    l.state = 'pending'
                    OR (l.decided_by IS NOT NULL AND coalesce(l.decided_entry_key, l.counts_key, 0) > ?7)
                )
        ),
        'other_order', coalesce(
            (SELECT q.document ->> '$.order' FROM policy AS q WHERE coalesce(q.entry_key, 0) <= ?7 ORDER BY q.key DESC LIMIT 1), 'oldest-due-first'
        ) <> 'oldest-due-first',
        'usual_terms', iif(
            ?6 = 1,
            (
                SELECT CAST(julianday(d.due_on) - julianday(d.issued_on) AS INTEGER) FROM document AS d
                WHERE
                    d.customer_key = ?1 AND d.kind = 'invoice' AND d.issued_on <= ?2 AND d.amount_minor > 0
                    AND NOT EXISTS (
                        SELECT 1 FROM adjustment AS w
                        WHERE
                            w.id = 'void/' || d.id AND w.until_on IS NULL AND w.booked_on <= ?2
                            AND coalesce(w.entry_key, 0) <= ?7
                    )
                ORDER BY d.issued_on DESC, d.key DESC LIMIT 1
            ),
            NULL
        )
    )
FROM customer AS own
WHERE own.key = ?1
