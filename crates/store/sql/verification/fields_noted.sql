-- Gives [broken, ids] for what was agreed, decided or recorded beside documents and does not read, field by field, as the
-- entry of the audit chain says that recorded, replaced or ended it; and for entries of which nothing is there.
WITH
-- The entry that last said how a customer reads, and those that said it anew.
kept AS MATERIALIZED (
    SELECT id, max(key) AS key FROM audit WHERE noun = 'customer' AND action IN ('create', 'replace') GROUP BY id
),
replaced AS MATERIALIZED (
    SELECT id, at, change, personal FROM audit WHERE noun = 'customer' AND action = 'replace' AND json_valid(change)
),
-- The entry that last said what a guarantee is.
guaranteed AS (
    SELECT
        g.*,
        coalesce((SELECT max(f.entry_key) FROM guarantee_former AS f WHERE f.guarantee_key = g.key), g.entry_key) AS said_key
    FROM guarantee AS g
),
-- How defaults ended, and how they were said to have ended before that was put right.
ended AS MATERIALIZED (
    SELECT id, by_rule, state, closed_on, cured_by_key, closed_entry_key AS entry_key
    FROM default_record
    WHERE closed_entry_key IS NOT NULL
    UNION ALL
    SELECT d.id, d.by_rule, f.state, f.closed_on, f.cured_by_key, f.entry_key
    FROM default_former AS f CROSS JOIN default_record AS d ON d.key = f.default_key
    WHERE f.entry_key > 0
),
-- Which entry tells of which row, where in it, and how the row reads: fields that are always said, and those that are
-- compared where they are said. Of the whole, the entry says no field that the row has not. By whom, and whose it is.
reads (what, entry_key, personal, path, always, given, whole, who, customer_key) AS (
    SELECT
        'pause ' || s.id, s.entry_key, 0, '$.after',
        json_object('from', s.from_on, 'to', s.to_on, 'reason', s.reason, 'invoice_id', i.id), NULL, 0, NULL,
        CASE WHEN s.invoice_key IS NULL THEN s.customer_key END
    FROM pause AS s LEFT JOIN invoice AS i ON i.key = s.invoice_key
    UNION ALL
    SELECT
        'pause ' || id, resumed_entry_key, 0, '$.after', json_object('resumed_on', resumed_on), NULL, 0, NULL, NULL
    FROM pause
    UNION ALL
    SELECT
        'pause ' || p.id, f.entry_key, 0, '$.after', json_object('resumed_on', f.resumed_on), NULL, 0, NULL, NULL
    FROM pause_former AS f CROSS JOIN pause AS p ON p.key = f.pause_key
    UNION ALL
    SELECT
        'dispute ' || d.id, d.entry_key, 0, '$.after',
        json_object(
            'invoice_id', i.id, 'on', d.opened_on, 'minor', d.minor, 'reason', d.reason, 'detail', d.detail,
            'evidence', json(d.evidence)
        ),
        NULL, 0, NULL, NULL
    FROM dispute AS d CROSS JOIN invoice AS i ON i.key = d.invoice_key
    WHERE d.id NOT LIKE 'whole/%' AND d.whole_key IS NULL
    UNION ALL
    SELECT
        'dispute ' || id, resolved_entry_key, 0, '$.after',
        json_object(
            'outcome', outcome, 'resolved_on', resolved_on, 'upheld_minor', upheld_minor, 'resolution', resolution
        ),
        NULL, 0, NULL, NULL
    FROM (
        SELECT id, resolved_entry_key, outcome, resolved_on, upheld_minor, resolution FROM dispute
        WHERE whole_key IS NULL
        UNION ALL
        SELECT d.id, f.entry_key, f.outcome, f.resolved_on, f.upheld_minor, f.resolution
        FROM dispute_former AS f CROSS JOIN dispute AS d ON d.key = f.dispute_key
        WHERE d.whole_key IS NULL
    )
    UNION ALL
    SELECT
        'default ' || d.id, d.entry_key, 0, '$.after',
        json_object(
            'found_on', d.found_on, 'kind', d.kind, 'reason', d.reason, 'evidence', json(d.evidence),
            'contract_id', k.id, 'invoice_id', i.id, 'amount',
            CASE WHEN d.amount_minor IS NOT NULL THEN json_object('minor', d.amount_minor, 'currency', d.currency) END
        ),
        NULL, 0, NULL, d.customer_key
    FROM default_record AS d
    LEFT JOIN contract AS k ON k.key = d.contract_key
    LEFT JOIN invoice AS i ON i.key = d.invoice_key
    WHERE d.by_rule = 0
    UNION ALL
    SELECT
        'default ' || d.id, d.entry_key, 0, '$.after',
        json_object('state', d.state, 'on', d.closed_on, 'payment_id', p.id), NULL, 0, NULL, NULL
    FROM ended AS d
    CROSS JOIN audit AS a ON a.key = d.entry_key AND a.action IN ('close', 'reopen')
    LEFT JOIN payment AS p ON p.key = d.cured_by_key
    UNION ALL
    SELECT
        'guarantee ' || g.id, g.said_key, 0, '$.after',
        json_object(
            'contract_id', k.id, 'kind', g.kind, 'amount',
            json_object('minor', g.amount_minor, 'currency', g.currency), 'share', g.share, 'valid_from',
            g.valid_from, 'valid_to', g.valid_to, 'claim_by', g.claim_by
        ),
        NULL, 0, NULL, g.customer_key
    FROM guaranteed AS g LEFT JOIN contract AS k ON k.key = g.contract_key
    UNION ALL
    SELECT
        'guarantee ' || id, said_key, 1, '$.party.after', json_quote(party), NULL, 0, NULL, NULL
    FROM guaranteed
    UNION ALL
    SELECT
        'guarantee ' || g.id, f.entry_key, 0, '$.before', json_remove(f.document, '$.id', '$.party'), NULL, 1, NULL, NULL
    FROM guarantee_former AS f CROSS JOIN guarantee AS g ON g.key = f.guarantee_key
    UNION ALL
    SELECT 'contract ' || k.id, v.entry_key, 0, '$.after', v.document, NULL, 1, NULL, k.customer_key
    FROM contract_version AS v CROSS JOIN contract AS k ON k.key = v.contract_key
    UNION ALL
    SELECT 'policy', entry_key, 0, '$.after', document, NULL, 1, NULL, NULL FROM policy
    UNION ALL
    SELECT
        'reversal ' || r.id, r.entry_key, 0, '$.after',
        json_object('kind', r.kind, 'reason', r.reason, 'name', r.payment_name), json_object('on', r.reversed_on), 0, NULL, NULL
    FROM reversal AS r CROSS JOIN audit AS a ON a.key = r.entry_key AND a.noun IN ('payment', 'reversal-name')
    UNION ALL
    SELECT
        'reversal ' || id, undone_entry_key, 0, '$.after', json_object('kind', kind, 'reason', undone_reason),
        json_object('on', reversed_on), 0, NULL, NULL
    FROM reversal
    UNION ALL
    SELECT
        'write-off ' || w.id, w.entry_key, 0, '$.after', json_object('invoice_id', i.id, 'reason', w.reason),
        json_object('on', w.booked_on, 'minor', w.minor), 0, w.asked_by, NULL
    FROM write_off AS w CROSS JOIN invoice AS i ON i.key = w.invoice_key
    UNION ALL
    SELECT
        'write-off ' || id, decided_entry_key, 0, '$.after',
        json_quote(CASE state WHEN 'reversed' THEN 'booked' ELSE state END), NULL, 0, decided_by, NULL
    FROM write_off
    UNION ALL
    SELECT
        'write-off ' || id, reversed_entry_key, 0, '$.after', json_object('reason', reversal_reason),
        json_object('on', reversed_on), 0, reversed_by, NULL
    FROM write_off
    UNION ALL
    SELECT
        'interest ' || e.id, e.entry_key, 0, '$.after',
        json_object(
            'invoice_id', i.id, 'on', e.booked_on, 'reason', e.reason, 'amount',
            json_object('minor', e.minor, 'currency', i.currency)
        ),
        NULL, 0, NULL, NULL
    FROM interest_entry AS e CROSS JOIN invoice AS i ON i.key = e.invoice_key
    WHERE e.note_key IS NULL
    UNION ALL
    SELECT
        'interest ' || e.id, e.entry_key, 0, '$.after', json_object('relates_to', i.id, 'issued_on', e.booked_on), NULL,
        0, NULL, NULL
    FROM interest_entry AS e CROSS JOIN invoice AS i ON i.key = e.invoice_key
    WHERE e.note_key IS NOT NULL
    UNION ALL
    SELECT
        'refund ' || r.id, r.entry_key, 0, '$.after',
        json_object(
            'credit_note_id', i.id, 'refund',
            json_object('id', r.id, 'on', r.refunded_on, 'minor', r.minor, 'reason', r.reason)
        ),
        NULL, 0, NULL, NULL
    FROM credit_refund AS r CROSS JOIN invoice AS i ON i.key = r.credit_key
    UNION ALL
    SELECT
        'refund ' || id, reversed_entry_key, 0, '$.after', json_array(reversed_on, reversal_reason), NULL, 0, NULL, NULL
    FROM credit_refund
    UNION ALL
    -- A merge closes a customer and moves the members of its group; an erasure leaves nothing personal to compare.
    SELECT
        'customer ' || c.id, a.key, 0, '$.after',
        json_object(
            'country', c.country, 'currency', c.currency, 'language', c.language, 'time_zone', c.time_zone,
            'credit_limit',
            CASE
                WHEN c.limit_minor IS NOT NULL
                    THEN json_object('minor', c.limit_minor, 'currency', c.limit_currency)
            END,
            'segment', c.segment, 'industry', c.industry,
            'status', CASE WHEN c.merged_key IS NULL THEN c.status ELSE a.change ->> '$.after.status' END,
            'parent_id', CASE WHEN c.merged_key IS NULL AND p.merged_key IS NULL THEN h.id ELSE p.id END
        ),
        NULL, 0, NULL, NULL
    FROM kept AS e
    CROSS JOIN audit AS a ON a.key = e.key
    CROSS JOIN customer AS c ON c.id = e.id
    LEFT JOIN customer AS h ON h.key = c.parent_key
    LEFT JOIN customer AS p ON p.id = a.change ->> '$.after.parent_id'
    WHERE json_valid(a.change)
    UNION ALL
    SELECT
        'customer ' || c.id, e.key, 1, '$.after',
        json_object(
            'name', c.name, 'email', c.email, 'phone', c.phone, 'tags', json(c.tags), 'contacts', json(c.contacts),
            'representatives', json(c.representatives), 'bank_accounts', json(c.bank_accounts)
        ),
        NULL, 1, NULL, NULL
    FROM kept AS e CROSS JOIN customer AS c ON c.id = e.id
    UNION ALL
    SELECT
        'customer ' || c.id, f.entry_key, 0, '$.before',
        json_remove(
            f.document, '$.name', '$.email', '$.phone', '$.tags', '$.contacts', '$.representatives', '$.bank_accounts'
        ),
        NULL, 1, NULL, NULL
    FROM customer_former AS f CROSS JOIN customer AS c ON c.key = f.customer_key
),
told AS (
    SELECT r.*, a.who AS by, CASE r.personal WHEN 1 THEN a.personal ELSE a.change END AS said
    FROM reads AS r CROSS JOIN audit AS a ON a.key = r.entry_key
    WHERE json_valid(CASE r.personal WHEN 1 THEN a.personal ELSE a.change END)
),
found AS (
    SELECT r.what
    FROM told AS r
    WHERE
        json_type(r.said, r.path) <> 'null'
        AND (
            EXISTS (
                SELECT 1 FROM json_tree(r.always) AS f
                WHERE
                    f.type NOT IN ('object', 'array')
                    AND f.atom IS NOT r.said ->> (r.path || substr(f.fullkey, 2))
            )
            OR EXISTS (
                SELECT 1 FROM json_each(r.given) AS f
                WHERE f.atom <> r.said ->> (r.path || substr(f.fullkey, 2))
            )
            OR r.whole = 1 AND EXISTS (
                SELECT 1 FROM json_tree(r.said, r.path) AS f
                WHERE
                    f.type NOT IN ('object', 'array')
                    AND f.atom IS NOT r.always ->> ('$' || substr(f.fullkey, length(r.path) + 1))
            )
            OR r.who <> r.by
            OR r.customer_key IS NOT NULL AND r.said ->> '$.after.customer_id' IS NOT NULL
            AND r.customer_key IS NOT (
                SELECT coalesce(c.merged_key, c.key) FROM customer AS c WHERE c.id = r.said ->> '$.after.customer_id'
            )
        )
    UNION ALL
    -- What ended without an entry that says so.
    SELECT 'pause ' || id FROM pause
    WHERE entry_key IS NOT NULL AND resumed_on IS NOT NULL AND resumed_entry_key IS NULL
    UNION ALL
    SELECT 'dispute ' || id
    FROM dispute AS d
    WHERE
        entry_key IS NOT NULL AND (outcome IS NULL) <> (resolved_entry_key IS NULL)
        AND NOT EXISTS (
            SELECT 1 FROM dispute_former AS f
            WHERE f.dispute_key = d.key AND f.until_entry_key = d.resolved_entry_key AND d.outcome IS NULL
        )
    UNION ALL
    SELECT 'default ' || id
    FROM default_record AS d
    WHERE
        entry_key IS NOT NULL AND (state = 'open') <> (closed_entry_key IS NULL)
        AND NOT EXISTS (
            SELECT 1 FROM default_former AS f
            WHERE f.default_key = d.key AND f.until_entry_key = d.closed_entry_key AND d.state = 'open'
        )
    UNION ALL
    -- What was put right was so until the entry that says it anew.
    SELECT 'dispute ' || d.id
    FROM dispute_former AS f CROSS JOIN dispute AS d ON d.key = f.dispute_key
    WHERE
        f.until_entry_key IS NOT d.resolved_entry_key
        AND f.until_entry_key NOT IN (SELECT n.entry_key FROM dispute_former AS n WHERE n.dispute_key = d.key)
    UNION ALL
    SELECT 'default ' || d.id
    FROM default_former AS f CROSS JOIN default_record AS d ON d.key = f.default_key
    WHERE
        f.until_entry_key IS NOT d.closed_entry_key
        AND f.until_entry_key NOT IN (SELECT n.entry_key FROM default_former AS n WHERE n.default_key = d.key)
    UNION ALL
    SELECT 'reversal ' || id FROM reversal WHERE (undone_reason IS NULL) <> (undone_entry_key IS NULL)
    UNION ALL
    SELECT 'write-off ' || w.id
    FROM write_off AS w CROSS JOIN audit AS a ON a.key = w.entry_key AND json_valid(a.change)
    WHERE
        (w.decided_by IS NULL) <> (w.decided_entry_key IS NULL)
        OR (w.state = 'reversed') <> (w.reversed_entry_key IS NOT NULL)
        OR w.decided_entry_key IS NULL AND w.reversed_entry_key IS NULL AND w.state <> a.change ->> '$.after.state'
    UNION ALL
    -- The customer of what is about a document is the document's.
    SELECT 'dispute ' || d.id
    FROM dispute AS d CROSS JOIN invoice AS i ON i.key = d.invoice_key
    WHERE d.customer_key <> i.customer_key
    UNION ALL
    -- Of a dispute of a document with instalments its parts are all, each of an instalment, and say what it says.
    SELECT 'dispute ' || w.id
    FROM dispute AS w
    CROSS JOIN dispute AS p ON p.whole_key = w.key
    CROSS JOIN invoice AS i ON i.key = p.invoice_key
    GROUP BY w.key
    HAVING
        sum(p.minor) <> w.minor OR total(p.upheld_minor) > coalesce(w.upheld_minor, 0)
        OR max(
            i.parent_key IS NOT w.invoice_key OR p.opened_on <> w.opened_on OR p.reason <> w.reason
            OR p.entry_key IS NOT w.entry_key OR p.outcome IS NOT w.outcome OR p.resolved_on IS NOT w.resolved_on
            OR coalesce(p.resolved_entry_key, 0) < coalesce(w.resolved_entry_key, 0)
            OR (p.upheld_minor IS NULL) <> (w.upheld_minor IS NULL)
        )
    UNION ALL
    -- The same of what was said before it was put right.
    SELECT 'dispute ' || w.id
    FROM dispute AS w
    CROSS JOIN dispute_former AS f ON f.dispute_key = w.key
    CROSS JOIN dispute AS p ON p.whole_key = w.key
    LEFT JOIN dispute_former AS g ON g.dispute_key = p.key AND g.until_entry_key = f.until_entry_key
    GROUP BY w.key, f.until_entry_key
    HAVING
        total(g.upheld_minor) > coalesce(f.upheld_minor, 0)
        OR max(
            g.outcome IS NOT f.outcome OR g.resolved_on IS NOT f.resolved_on OR g.entry_key < f.entry_key
            OR g.dispute_key IS NULL
        )
    UNION ALL
    -- Upheld of each part is what the outcome took off its instalment, now and as it was known before.
    SELECT 'dispute ' || w.id
    FROM (
        SELECT key AS part_key, upheld_minor, NULL AS until_entry_key FROM dispute WHERE whole_key IS NOT NULL
        UNION ALL
        SELECT dispute_key, upheld_minor, until_entry_key FROM dispute_former
    ) AS s
    CROSS JOIN dispute AS p ON p.key = s.part_key AND p.whole_key IS NOT NULL
    CROSS JOIN dispute AS w ON w.key = p.whole_key
    WHERE
        coalesce(s.upheld_minor, 0) <> coalesce((
            SELECT sum(a.amount_minor)
            FROM adjustment AS x CROSS JOIN allocation AS a ON a.adjustment_key = x.key
            WHERE
                x.id = 'dispute/' || w.id AND a.invoice_key = p.invoice_key
                AND (s.until_entry_key IS NULL OR coalesce(a.entry_key, 0) < s.until_entry_key)
        ), 0)
    UNION ALL
    SELECT 'pause ' || s.id
    FROM pause AS s CROSS JOIN invoice AS i ON i.key = s.invoice_key
    WHERE s.customer_key <> i.customer_key
    UNION ALL
    SELECT 'interest ' || e.id
    FROM interest_entry AS e CROSS JOIN invoice AS i ON i.key = e.invoice_key
    WHERE e.customer_key <> i.customer_key
    UNION ALL
    SELECT 'reversal ' || r.id
    FROM reversal AS r CROSS JOIN payment AS p ON p.key = r.payment_key
    WHERE r.customer_key <> p.customer_key
    UNION ALL
    SELECT 'refund ' || r.id
    FROM credit_refund AS r CROSS JOIN invoice AS i ON i.key = r.credit_key
    WHERE r.customer_key <> i.customer_key
    UNION ALL
    -- What else a row of a default, a refund or a version repeats.
    SELECT 'default ' || d.id
    FROM default_record AS d LEFT JOIN audit AS a ON a.key = d.entry_key
    WHERE
        d.entry_key IS NOT NULL
        AND (
            a.noun IS NOT 'default_record'
            OR CASE a.action
                WHEN 'create' THEN d.by_rule <> 0 OR a.id <> d.id
                WHEN 'judge'
                    THEN d.by_rule <> 1 OR d.found_on <> a.id OR d.kind <> 'late-payment'
                        OR NOT EXISTS (
                            SELECT 1
                            FROM json_each(a.change, '$.after.opened') AS f
                            LEFT JOIN customer AS c
                                ON f.type = 'object' AND c.id = iif(f.type = 'object', f.value ->> 'customer_id', NULL)
                            WHERE
                                CASE f.type
                                    WHEN 'object'
                                        THEN f.value ->> 'id' = d.id
                                            AND f.value ->> '$.amount.minor' = d.amount_minor
                                            AND f.value ->> '$.amount.currency' = d.currency
                                            AND f.value ->> 'found_on' = d.found_on AND f.value ->> 'kind' = d.kind
                                            AND f.value ->> 'reason' = d.reason
                                            AND coalesce(c.merged_key, c.key) = d.customer_key
                                            AND f.value ->> 'invoice_id'
                                            IS (SELECT i.id FROM invoice AS i WHERE i.key = d.invoice_key)
                                    -- An entry from before they said more than the id.
                                    ELSE f.value = d.id
                                END
                        )
                ELSE 1
            END
        )
    UNION ALL
    SELECT 'default ' || d.id
    FROM ended AS d LEFT JOIN audit AS a ON a.key = d.entry_key
    WHERE
        CASE a.noun || ' ' || a.action
            WHEN 'default_record close' THEN a.id <> d.id
            WHEN 'default_record reopen' THEN a.id <> d.id OR d.state <> 'open'
            WHEN 'default_record judge'
                THEN d.state <> 'cured' OR d.closed_on <> a.id
                    OR d.id NOT IN (SELECT value FROM json_each(a.change, '$.after.cured'))
            WHEN 'customer merge' THEN d.state <> 'withdrawn' OR d.by_rule <> 1
            ELSE 1
        END
    UNION ALL
    SELECT 'refund ' || r.id
    FROM credit_refund AS r LEFT JOIN audit AS a ON a.key = r.entry_key
    WHERE a.noun IS NOT 'credit_refund' OR a.id IS NOT r.id OR a.action IS NOT 'create'
    UNION ALL
    SELECT 'contract ' || k.id
    FROM contract_version AS v
    CROSS JOIN contract AS k ON k.key = v.contract_key
    LEFT JOIN audit AS a ON a.key = v.entry_key
    WHERE
        v.signed_on IS NOT v.document ->> '$.signed_on' OR v.effective_on IS NOT v.document ->> '$.effective_on'
        OR v.ends_on IS NOT v.document ->> '$.ends_on' OR v.secured <> coalesce(v.document ->> '$.secured', 0)
        OR v.discount_share IS NOT v.document ->> '$.terms.discount_share'
        OR v.discount_days IS NOT v.document ->> '$.terms.discount_days'
        OR v.allocation_order IS NOT v.document ->> '$.order' OR (a.action = 'create') <> (v.version = 1)
    UNION ALL
    -- Rates are noted as rows; their decimals may have had zeros at the end.
    SELECT 'rate ' || r.name
    FROM rate AS r CROSS JOIN audit AS a ON a.key = r.entry_key AND json_valid(a.change)
    WHERE NOT EXISTS (
        SELECT 1 FROM json_each(a.change, '$.after') AS f
        WHERE
            CASE f.type
                WHEN 'object'
                    THEN f.value ->> 'valid_from' = r.valid_from AND f.value ->> 'source' = r.source
                        AND f.value ->> 'confirmed' = r.confirmed
                        AND CAST(f.value ->> 'rate' AS REAL) = CAST(r.rate AS REAL)
            END
    )
    UNION ALL
    SELECT 'rate ' || a.id
    FROM (SELECT key, id, change FROM audit WHERE noun = 'rate' AND json_valid(change)) AS a
    CROSS JOIN json_each(a.change, '$.after') AS f
    WHERE NOT EXISTS (
        SELECT 1 FROM rate AS r
        WHERE
            r.name = a.id AND r.entry_key = a.key
            AND r.valid_from = CASE f.type WHEN 'object' THEN f.value ->> 'valid_from' END
    )
    UNION ALL
    -- What the rule opened or cured.
    SELECT 'default ' || f.id
    FROM (
        SELECT a.key, iif(w.type = 'object', w.value ->> 'id', w.value) AS id
        FROM (
            SELECT key, change FROM audit WHERE noun = 'default_record' AND action = 'judge' AND json_valid(change)
        ) AS a
        CROSS JOIN json_each(a.change, '$.after.opened') AS w
    ) AS f
    WHERE f.key IS NOT (SELECT entry_key FROM default_record WHERE id = f.id)
    UNION ALL
    SELECT 'default ' || f.value
    FROM (SELECT key, action, change FROM audit WHERE noun = 'default_record' AND json_valid(change)) AS a
    CROSS JOIN json_each(a.change, '$.after.cured') AS f
    WHERE a.action = 'judge' AND a.key NOT IN (SELECT d.entry_key FROM ended AS d WHERE d.id = f.value)
    UNION ALL
    -- What changed of a customer is told by the entry of the moment, and every change of a part is kept.
    SELECT 'customer ' || c.id
    FROM customer_change AS g CROSS JOIN customer AS c ON c.key = g.customer_key
    WHERE NOT EXISTS (SELECT 1 FROM replaced AS r WHERE r.id = c.id AND r.at = g.recorded_at)
    UNION ALL
    SELECT 'customer ' || r.id
    FROM replaced AS r
    CROSS JOIN json_each(
        json_array(
            CASE WHEN r.change ->> '$.before.status' <> r.change ->> '$.after.status' THEN 'status' END,
            CASE
                WHEN
                    r.personal ->> '$.before.email' IS NOT r.personal ->> '$.after.email'
                    OR r.personal ->> '$.before.phone' IS NOT r.personal ->> '$.after.phone'
                    THEN 'contact'
            END,
            CASE
                WHEN
                    json_array_length(r.personal, '$.before.bank_accounts')
                    IS NOT json_array_length(r.personal, '$.after.bank_accounts')
                    THEN 'bank-account'
            END,
            CASE
                WHEN
                    json_array_length(r.personal, '$.before.representatives')
                    IS NOT json_array_length(r.personal, '$.after.representatives')
                    THEN 'representative'
            END
        )
    ) AS f
    WHERE
        f.value IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM customer_change AS g CROSS JOIN customer AS c ON c.key = g.customer_key
            WHERE c.id = r.id AND g.recorded_at = r.at AND g.part = f.value
        )
    UNION ALL
    -- Entries of which nothing is there.
    SELECT a.noun || ' ' || a.id
    FROM audit AS a
    WHERE
        CASE a.noun || ' ' || a.action
            WHEN 'pause create' THEN a.key IS NOT (SELECT entry_key FROM pause WHERE id = a.id)
            -- A resumption that was put right is kept beside.
            WHEN 'pause resume'
                THEN a.key NOT IN (
                    SELECT coalesce(resumed_entry_key, 0) FROM pause WHERE id = a.id
                    UNION ALL
                    SELECT f.entry_key FROM pause AS w CROSS JOIN pause_former AS f ON f.pause_key = w.key
                    WHERE w.id = a.id
                )
            WHEN 'default_record create' THEN a.key IS NOT (SELECT entry_key FROM default_record WHERE id = a.id)
            WHEN 'default_record close' THEN a.key NOT IN (SELECT d.entry_key FROM ended AS d WHERE d.id = a.id)
            WHEN 'default_record reopen' THEN a.key NOT IN (SELECT d.entry_key FROM ended AS d WHERE d.id = a.id)
            WHEN 'credit_refund create' THEN a.key IS NOT (SELECT entry_key FROM credit_refund WHERE id = a.id)
            WHEN 'credit_refund reverse'
                THEN a.key IS NOT (SELECT reversed_entry_key FROM credit_refund WHERE id = a.id)
            WHEN 'guarantee create' THEN a.key IS NOT (SELECT entry_key FROM guarantee WHERE id = a.id)
            WHEN 'guarantee replace' THEN a.key NOT IN (SELECT entry_key FROM guarantee_former)
            WHEN 'contract create' THEN a.key NOT IN (SELECT coalesce(entry_key, 0) FROM contract_version)
            WHEN 'contract add-version' THEN a.key NOT IN (SELECT coalesce(entry_key, 0) FROM contract_version)
            WHEN 'policy replace' THEN a.key NOT IN (SELECT coalesce(entry_key, 0) FROM policy)
            WHEN 'customer create' THEN NOT EXISTS (SELECT 1 FROM customer WHERE id = a.id)
            WHEN 'customer replace' THEN a.key NOT IN (SELECT entry_key FROM customer_former)
        END
),
broken AS (SELECT what, row_number() OVER (ORDER BY what) AS place FROM (SELECT DISTINCT what FROM found))
SELECT json_array(count(*), json_group_array(what) FILTER (WHERE place <= 10)) FROM broken
