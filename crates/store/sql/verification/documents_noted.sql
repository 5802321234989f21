-- Gives [broken, ids] for documents and payments that the audit chain tells otherwise. What was written by itself is
-- looked up by its entry, once corrections are undone. Of a file the entry says between which keys it recorded how many,
-- with a control sum of their amounts: each such range is read once, in the order of the table, and what lies beside
-- them names an entry of its own. So every document is looked at once.
WITH
file AS MATERIALIZED (
    SELECT key, id, change ->> '$.after.recorded' AS recorded
    FROM (SELECT key, id, noun, CASE WHEN json_valid(change) THEN change END AS change FROM audit)
    WHERE noun IN ('import', 'bank-statement') AND change ->> '$.after.recorded' IS NOT NULL
),
documents AS MATERIALIZED (
    SELECT
        key, id, recorded ->> '$[0][0]' AS after, recorded ->> '$[0][1]' AS upto, recorded ->> '$[0][2]' AS number,
        recorded ->> '$[0][3]' AS control, recorded ->> '$[0][4]' AS fields, recorded ->> '$[0][5]' AS whose
    FROM file
),
payments AS MATERIALIZED (
    SELECT
        key, id, recorded ->> '$[1][0]' AS after, recorded ->> '$[1][1]' AS upto, recorded ->> '$[1][2]' AS number,
        recorded ->> '$[1][3]' AS control, recorded ->> '$[1][4]' AS fields, recorded ->> '$[1][5]' AS whose
    FROM file
),
-- What lies before, between and after the ranges of files.
documents_beside AS (
    SELECT coalesce(lag(upto) OVER (ORDER BY after, upto), 0) AS after, after AS upto FROM documents
    UNION ALL
    SELECT coalesce(max(upto), 0), 9223372036854775807 FROM documents
),
payments_beside AS (
    SELECT coalesce(lag(upto) OVER (ORDER BY after, upto), 0) AS after, after AS upto FROM payments
    UNION ALL
    SELECT coalesce(max(upto), 0), 9223372036854775807 FROM payments
),
made AS (
    SELECT key, noun, id, CASE WHEN json_valid(change) THEN change -> '$.after' END AS said
    FROM audit
    WHERE action = 'create' AND noun IN ('invoice', 'payment')
),
-- A merge moves what was the duplicate's: whose a document is, the sum of a file tells until the next one.
merge AS MATERIALIZED (
    SELECT coalesce(max(key), 0) AS key FROM audit WHERE noun = 'customer' AND action = 'merge'
),
-- What the range of each file reads, and what corrections added to that. One of the three sums is taken: that of amounts
-- alone of an entry from before there were others.
documents_read AS MATERIALIZED (
    SELECT
        f.id, f.number,
        CASE
            WHEN f.fields IS NULL THEN f.control
            WHEN f.key < m.key THEN f.fields
            ELSE f.whose
        END AS told,
        CASE
            WHEN f.fields IS NULL
                THEN (
                    SELECT json_array(count(*), coalesce(sum((i.amount_minor % 1000003) * (i.key % 8191 + 1)), 0))
                    FROM invoice AS i NOT INDEXED
                    WHERE i.key > f.after AND i.key <= f.upto AND i.entry_key = f.key
                )
            WHEN f.key < m.key
                THEN (
                    SELECT json_array(count(*), coalesce(sum((
                        i.amount_minor % 1000003 + unixepoch(i.due_on) / 86400 + length(i.kind)
                        + coalesce(i.version_key, 0) % 1000003 + coalesce(i.relates_key, 0) % 1000003
                    ) * (i.key % 8191 + 1)), 0))
                    FROM invoice AS i NOT INDEXED
                    WHERE i.key > f.after AND i.key <= f.upto AND i.entry_key = f.key
                )
            ELSE (
                    SELECT json_array(count(*), coalesce(sum((
                        i.amount_minor % 1000003 + unixepoch(i.due_on) / 86400 + length(i.kind)
                        + coalesce(i.version_key, 0) % 1000003 + coalesce(i.relates_key, 0) % 1000003 + i.customer_key % 1000003
                    ) * (i.key % 8191 + 1)), 0))
                    FROM invoice AS i NOT INDEXED
                    WHERE i.key > f.after AND i.key <= f.upto AND i.entry_key = f.key
                )
        END AS reads,
        (
            SELECT
                coalesce(sum((
                    coalesce((c.after ->> 'amount_minor') % 1000003 - (c.before ->> 'amount_minor') % 1000003, 0)
                    + iif(f.fields IS NULL, 0, coalesce(
                        unixepoch(c.after ->> 'due_on') / 86400 - unixepoch(c.before ->> 'due_on') / 86400, 0
                    )
                    + coalesce((SELECT w.key FROM invoice AS w WHERE w.id = c.after ->> 'relates_to'), 0) % 1000003
                    - coalesce((SELECT w.key FROM invoice AS w WHERE w.id = c.before ->> 'relates_to'), 0) % 1000003
                    + coalesce(c.after ->> 'version_key', 0) % 1000003 - coalesce(c.before ->> 'version_key', 0) % 1000003)
                ) * (c.invoice_key % 8191 + 1)), 0)
            FROM correction AS c
            WHERE c.invoice_key > f.after AND c.invoice_key <= f.upto
        ) AS corrected
    FROM documents AS f CROSS JOIN merge AS m
),
payments_read AS MATERIALIZED (
    SELECT
        f.id, f.number,
        CASE
            WHEN f.fields IS NULL THEN f.control
            WHEN f.key < m.key THEN f.fields
            ELSE f.whose
        END AS told,
        CASE
            WHEN f.fields IS NULL
                THEN (
                    SELECT json_array(count(*), coalesce(sum((p.amount_minor % 1000003) * (p.key % 8191 + 1)), 0))
                    FROM payment AS p NOT INDEXED
                    WHERE p.key > f.after AND p.key <= f.upto AND p.entry_key = f.key
                )
            WHEN f.key < m.key
                THEN (
                    SELECT json_array(count(*), coalesce(sum((
                        p.amount_minor % 1000003 + unixepoch(p.received_on) / 86400 + unicode(p.currency)
                        + coalesce(p.invoice_key, 0) % 1000003
                    ) * (p.key % 8191 + 1)), 0))
                    FROM payment AS p NOT INDEXED
                    WHERE p.key > f.after AND p.key <= f.upto AND p.entry_key = f.key
                )
            ELSE (
                    SELECT json_array(count(*), coalesce(sum((
                        p.amount_minor % 1000003 + unixepoch(p.received_on) / 86400 + unicode(p.currency)
                        + coalesce(p.invoice_key, 0) % 1000003 + p.customer_key % 1000003
                    ) * (p.key % 8191 + 1)), 0))
                    FROM payment AS p NOT INDEXED
                    WHERE p.key > f.after AND p.key <= f.upto AND p.entry_key = f.key
                )
        END AS reads,
        (
            SELECT
                coalesce(sum((
                    coalesce((c.after ->> 'amount_minor') % 1000003 - (c.before ->> 'amount_minor') % 1000003, 0)
                    + iif(f.fields IS NULL, 0, coalesce(
                        unixepoch(c.after ->> 'received_on') / 86400 - unixepoch(c.before ->> 'received_on') / 86400, 0
                    ))
                ) * (c.payment_key % 8191 + 1)), 0)
            FROM correction AS c
            WHERE c.payment_key > f.after AND c.payment_key <= f.upto
        ) AS corrected
    FROM payments AS f CROSS JOIN merge AS m
),
found AS (
    SELECT 'file ' || f.id AS id
    FROM (SELECT * FROM documents_read UNION ALL SELECT * FROM payments_read) AS f
    WHERE f.number <> f.reads ->> 0 OR f.told <> f.reads ->> 1 - f.corrected
    UNION ALL
    -- Beside files: an entry of its own, or one of a file from before entries said what they recorded.
    SELECT 'invoice ' || i.id
    FROM documents_beside AS b
    CROSS JOIN invoice AS i NOT INDEXED ON i.key > b.after AND i.key <= b.upto
    CROSS JOIN audit AS a ON a.key = i.entry_key
    WHERE
        CASE
            WHEN a.noun = 'invoice' AND a.action = 'create'
                THEN a.id <> i.id AND a.id IS NOT (SELECT w.id FROM invoice AS w WHERE w.key = i.parent_key)
            ELSE a.noun <> 'import' OR a.key IN (SELECT key FROM file)
        END
    UNION ALL
    SELECT 'payment ' || p.id
    FROM payments_beside AS b
    CROSS JOIN payment AS p NOT INDEXED ON p.key > b.after AND p.key <= b.upto
    CROSS JOIN audit AS a ON a.key = p.entry_key
    WHERE
        CASE
            WHEN a.noun = 'payment' AND a.action = 'create'
                THEN a.id <> p.id AND a.id IS NOT (SELECT w.id FROM payment AS w WHERE w.key = p.converted_from_key)
            ELSE a.noun NOT IN ('import', 'bank-statement') OR a.key IN (SELECT key FROM file)
        END
    UNION ALL
    SELECT 'invoice ' || m.id
    FROM made AS m
    LEFT JOIN invoice AS i ON i.id = m.id
    LEFT JOIN customer AS c ON c.id = m.said ->> 'customer_id'
    WHERE
        m.noun = 'invoice'
        AND (
            i.entry_key IS NOT m.key OR i.currency IS NOT m.said ->> '$.amount.currency'
            OR i.customer_key IS NOT coalesce(c.merged_key, c.key)
            OR m.said ->> 'issued_on' IS NOT coalesce(
                (
                    SELECT k.before ->> 'issued_on' FROM correction AS k
                    WHERE k.invoice_key = i.key AND k.before ->> 'issued_on' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                i.issued_on
            )
            OR i.kind IS NOT coalesce(m.said ->> 'kind', 'invoice')
            OR m.said ->> 'due_on' IS NOT NULL
            AND m.said ->> 'due_on' IS NOT coalesce(
                (
                    SELECT k.before ->> 'due_on' FROM correction AS k
                    WHERE k.invoice_key = i.key AND k.before ->> 'due_on' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                i.due_on
            )
            OR coalesce(m.said ->> 'relates_to', '') IS NOT coalesce(
                (
                    SELECT k.before ->> 'relates_to' FROM correction AS k
                    WHERE k.invoice_key = i.key AND k.before ->> 'relates_to' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                (SELECT r.id FROM invoice AS r WHERE r.key = i.relates_key), ''
            )
            OR coalesce(m.said ->> 'penalty', 0) IS NOT coalesce(
                (
                    SELECT k.before ->> 'penalty' FROM correction AS k
                    WHERE k.invoice_key = i.key AND k.before ->> 'penalty' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                i.penalty
            )
            -- Under the version of its contract that was in force then.
            OR coalesce(
                (
                    SELECT coalesce(k.before ->> 'version_key', 0) FROM correction AS k
                    WHERE k.invoice_key = i.key AND json_type(k.before, '$.version_key') IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                i.version_key, 0
            ) IS NOT coalesce((
                SELECT v.key
                FROM contract AS h CROSS JOIN contract_version AS v ON v.contract_key = h.key
                WHERE
                    h.id = m.said ->> 'contract_id' AND v.effective_on <= m.said ->> 'issued_on'
                    AND coalesce(v.entry_key, 0) < m.key
                ORDER BY v.effective_on DESC, v.version DESC
                LIMIT 1
            ), 0)
            OR coalesce(m.said ->> 'disputed', 0) IS NOT EXISTS (
                SELECT 1 FROM dispute AS d
                WHERE d.invoice_key = i.key AND d.entry_key = m.key AND d.opened_on = m.said ->> 'issued_on'
            )
            OR EXISTS (
                SELECT 1
                FROM json_each(m.said, '$.instalments') AS f
                LEFT JOIN invoice AS part ON part.id = i.id || '#' || (f.key + 1)
                WHERE
                    part.parent_key IS NOT i.key OR part.kind <> i.kind OR part.version_key IS NOT i.version_key
                    OR f.value ->> 'due_on' IS NOT coalesce(
                        (
                    SELECT k.before ->> 'due_on' FROM correction AS k
                    WHERE k.invoice_key = part.key AND k.before ->> 'due_on' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                        part.due_on
                    )
            )
            -- With its instalments, if it has any.
            OR m.said ->> '$.amount.minor' IS NOT (
                SELECT
                    sum(coalesce(
                        (
                            SELECT k.before ->> 'amount_minor' FROM correction AS k
                            WHERE k.invoice_key = w.key AND k.before ->> 'amount_minor' IS NOT NULL
                            ORDER BY k.key
                            LIMIT 1
                        ),
                        w.amount_minor
                    ))
                FROM (
                    SELECT i.key, i.amount_minor
                    UNION ALL
                    SELECT part.key, part.amount_minor FROM invoice AS part WHERE part.parent_key = i.key
                ) AS w
            )
        )
    UNION ALL
    SELECT 'payment ' || m.id
    FROM made AS m
    LEFT JOIN payment AS p ON p.id = m.id
    LEFT JOIN customer AS c ON c.id = m.said ->> 'customer_id'
    WHERE
        m.noun = 'payment'
        AND (
            p.entry_key IS NOT m.key OR p.currency IS NOT m.said ->> '$.amount.currency'
            OR p.customer_key IS NOT coalesce(c.merged_key, c.key)
            OR m.said ->> 'received_on' IS NOT coalesce(
                (
                    SELECT k.before ->> 'received_on' FROM correction AS k
                    WHERE k.payment_key = p.key AND k.before ->> 'received_on' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                p.received_on
            )
            OR m.said ->> '$.amount.minor' IS NOT coalesce(
                (
                    SELECT k.before ->> 'amount_minor' FROM correction AS k
                    WHERE k.payment_key = p.key AND k.before ->> 'amount_minor' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                p.amount_minor
            )
            OR m.said ->> 'invoice_id' IS NOT (SELECT w.id FROM invoice AS w WHERE w.key = p.invoice_key)
            OR m.said ->> 'contract_id' IS NOT (SELECT h.id FROM contract AS h WHERE h.key = p.contract_key)
            OR m.said ->> 'order' IS NOT p.allocation_order
            OR coalesce(
                (
                    SELECT k.before ->> 'designation' FROM correction AS k
                    WHERE k.payment_key = p.key AND k.before ->> 'designation' IS NOT NULL
                    ORDER BY k.key
                    LIMIT 1
                ),
                p.designation, '[]'
            ) IS NOT (
                SELECT json_group_array(json_array(w.key, f.value ->> 'minor'))
                FROM json_each(m.said, '$.designation') AS f CROSS JOIN invoice AS w ON w.id = f.value ->> 'invoice_id'
                WHERE w.currency = p.currency
            )
            OR coalesce(p.deductions, '[]') IS NOT (
                SELECT json_group_array(json_array(w.key, f.value ->> 'minor', f.value ->> 'reason'))
                FROM json_each(m.said, '$.deductions') AS f CROSS JOIN invoice AS w ON w.id = f.value ->> 'invoice_id'
            )
            OR coalesce(p.settles, '[]') IS NOT (
                SELECT json_group_array(w.key)
                FROM json_each(m.said, '$.settles') AS f CROSS JOIN invoice AS w ON w.id = f.value
            )
        )
    UNION ALL
    -- What was changed into another currency is what the payer named in it.
    SELECT 'payment ' || part.id
    FROM made AS m
    CROSS JOIN payment AS p ON p.id = m.id
    CROSS JOIN payment AS part ON part.converted_from_key = p.key
    WHERE
        m.noun = 'payment'
        AND (
            part.entry_key IS NOT m.key OR part.received_on IS NOT m.said ->> 'received_on'
            OR part.amount_minor IS NOT (
                SELECT sum(f.value ->> 'minor')
                FROM json_each(m.said, '$.designation') AS f CROSS JOIN invoice AS w ON w.id = f.value ->> 'invoice_id'
                WHERE w.currency = part.currency
            )
        )
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM (SELECT DISTINCT id FROM found))
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
