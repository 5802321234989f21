-- ?1: id of a customer, ?2: today, ?3: now, ?4: 1 to look for its usual terms.
-- Gives the position of the domain as it is now, or nothing. Documents of other members of the group are summed up.
WITH
own AS MATERIALIZED (SELECT * FROM customer WHERE id = ?1),
head AS MATERIALIZED (
    SELECT h.key, h.id, h.limit_minor, h.limit_currency
    FROM own CROSS JOIN customer AS h ON h.key = coalesce(own.parent_key, own.key)
),
member AS MATERIALIZED (
    SELECT key FROM own
    UNION
    SELECT key FROM head
    UNION
    SELECT c.key FROM head CROSS JOIN customer AS c ON c.parent_key = head.key
),
-- What is allocated from tomorrow on is still open today, on both sides. There is little of it, whoever's it is.
later AS MATERIALIZED (
    SELECT a.invoice_key, a.credit_key, a.payment_key, a.amount_minor
    FROM allocation AS a
    WHERE a.allocated_on > ?2 AND +a.customer_key IN (SELECT key FROM member)
),
-- Each piece with the document it comes from.
piece AS MATERIALIZED (
    SELECT
        i.customer_key AS member,
        CASE
            WHEN i.kind = 'credit-note' THEN 'unapplied'
            WHEN i.due_on < ?2 THEN 'overdue-invoices'
            ELSE 'open-invoices'
        END AS component,
        i.currency,
        CASE
            WHEN NOT EXISTS (SELECT 1 FROM later) THEN i.open_minor
            ELSE i.open_minor + coalesce(
                (SELECT sum(l.amount_minor) FROM later AS l WHERE l.invoice_key = i.key OR l.credit_key = i.key), 0
            )
        END AS minor,
        iif(i.kind = 'credit-note', 0, i.disputed_minor) AS contested,
        iif(
            i.kind = 'credit-note' OR i.version_key IS NULL, NULL,
            (SELECT v.contract_key FROM contract_version AS v WHERE v.key = i.version_key)
        ) AS contract_key,
        i.id, NULL AS order_id, iif(i.kind = 'credit-note', NULL, i.due_on) AS due_on
    FROM member CROSS JOIN invoice AS i ON i.customer_key = member.key
    WHERE
        i.issued_on <= ?2
        AND (
            i.open_minor > 0 OR i.key IN (SELECT invoice_key FROM later) OR i.key IN (SELECT credit_key FROM later)
        )
    UNION ALL
    SELECT
        p.customer_key, 'unapplied', p.currency,
        p.unallocated_minor + coalesce(
            (SELECT sum(l.amount_minor) FROM later AS l WHERE l.payment_key = p.key), 0
        ),
        0, NULL, p.id, NULL, NULL
    FROM member CROSS JOIN payment AS p ON p.customer_key = member.key
    WHERE p.unallocated_minor > 0 AND p.received_on <= ?2
    UNION ALL
    SELECT p.customer_key, 'unapplied', p.currency, sum(l.amount_minor), 0, NULL, p.id, NULL, NULL
    FROM later AS l CROSS JOIN payment AS p ON p.key = l.payment_key
    WHERE p.unallocated_minor = 0 AND p.received_on <= ?2
    GROUP BY p.key
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
        o.until_on > ?2 AND o.from_on <= ?2 AND (o.undelivered_minor > 0 OR o.unbilled_minor > 0)
        AND part.value ->> 1 > 0
    UNION ALL
    SELECT
        r.customer_key, 'orders-reserved', r.currency, r.minor, 0, NULL, r.id, coalesce(r.order_id, r.id), NULL
    FROM member CROSS JOIN credit_reservation AS r ON r.customer_key = member.key
    -- All count that were made: a request may have come a moment before one that was served first.
    WHERE r.until_at > ?3
),
-- The customer's own one by one, those of others in sum.
told AS (
    SELECT
        piece.member, piece.component, piece.currency, piece.minor, piece.contested, piece.contract_key, piece.id,
        piece.order_id, piece.due_on, 1 AS count
    FROM own CROSS JOIN piece
    WHERE piece.member = own.key AND piece.minor > 0
    UNION ALL
    SELECT
        piece.member, piece.component, piece.currency, sum(piece.minor), 0, piece.contract_key, NULL, NULL, NULL,
        count(*)
    FROM own CROSS JOIN piece
    WHERE piece.member <> own.key AND piece.minor > 0
    GROUP BY piece.member, piece.component, piece.currency, piece.contract_key
),
rule AS (
    SELECT k.*, 'customer' AS level FROM own CROSS JOIN credit_rule AS k ON k.customer_key = own.key
    WHERE k.replaced = 0 AND k.customer_key IS NOT NULL
    UNION ALL
    SELECT k.*, 'group' FROM head CROSS JOIN credit_rule AS k ON k.group_key = head.key
    WHERE k.replaced = 0 AND k.group_key IS NOT NULL
    UNION ALL
    SELECT k.*, 'all' FROM credit_rule AS k
    WHERE k.replaced = 0 AND k.customer_key IS NULL AND k.group_key IS NULL
)
SELECT
    json_object(
        'key', own.key, 'id', own.id, 'status', own.status,
        'merged', (SELECT m.id FROM customer AS m WHERE m.key = own.merged_key),
        'currency', own.currency,
        'limit', iif(own.limit_minor IS NULL, NULL, json_array(own.limit_minor, own.limit_currency)),
        'head', iif(
            (SELECT count(*) FROM member) > 1,
            json_array(
                head.key, head.id,
                json(iif(head.limit_minor IS NULL, 'null', json_array(head.limit_minor, head.limit_currency)))
            ),
            NULL
        ),
        'grade', score.grade, 'grade_before', score.grade_before,
        'ledger', (
            SELECT
                json_group_array(
                    json_array(
                        l.kind, l.minor, l.currency, l.unlimited, l.mandatory, l.from_on, l.to_on, l.id, l.counts_key
                    )
                )
            FROM credit_limit AS l
            WHERE
                l.customer_key IN (own.key, head.key) AND l.counts_key > 0
                AND iif(l.kind = 'group', l.customer_key = head.key, l.customer_key = own.key)
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
                    json_array(g.customer_key, g.currency, g.contract_key, g.amount_minor, g.share, g.id)
                )
            FROM member CROSS JOIN guarantee AS g ON g.customer_key = member.key
            WHERE
                g.valid_from <= ?2 AND (g.valid_to IS NULL OR g.valid_to >= ?2)
                AND (g.claim_by IS NULL OR g.claim_by >= ?2)
        ),
        'rules', (
            SELECT
                json_group_array(
                    json_array(rule.name, rule.version, rule.level, json(rule.document)) ORDER BY rule.key
                )
            FROM rule
        ),
        'placed', (
            SELECT json_group_array(json_array(h.id, h.order_id)) FROM credit_hold AS h
            WHERE h.customer_key = own.key AND h.state = 'held' AND (h.minor IS NULL OR h.verdict = 'forced-hold')
        ),
        'released', (
            SELECT
                json_group_array(
                    json_array(
                        h.id, h.order_id, json(iif(h.minor IS NULL, 'null', json_array(h.minor, h.currency)))
                    )
                )
            FROM credit_hold AS h
            WHERE h.customer_key = own.key AND h.released_until > ?3
        ),
        'broken_promises', (
            SELECT count(*) FROM default_record AS d
            WHERE d.customer_key = own.key AND d.state = 'open' AND d.kind = 'broken-plan'
        ),
        'legal_stage', EXISTS (
            SELECT 1 FROM default_record AS d
            WHERE d.customer_key = own.key AND d.state = 'open' AND d.kind = 'legal-action'
        ),
        'usual_terms', iif(
            ?4 = 1,
            (
                SELECT CAST(julianday(i.due_on) - julianday(i.issued_on) AS INTEGER) FROM invoice AS i
                WHERE i.customer_key = own.key AND i.kind = 'invoice'
                ORDER BY i.issued_on DESC, i.key DESC LIMIT 1
            ),
            NULL
        )
    )
FROM own
CROSS JOIN head
LEFT JOIN score ON score.customer_key = own.key
