-- Gives [broken, ids] for documents, payments and customers of files that the audit chain tells otherwise. What was written by itself is
-- looked up by its entry, once corrections are undone. Of a file the entry says between which keys it recorded how many,
-- with a control sum of their amounts: each such range is read once, in the order of the table, and what lies beside
-- them names an entry of its own. So every document is looked at once.
WITH
-- A merge moves what was the duplicate's: whose a document is, the sum of a file tells until the next one.
merge AS MATERIALIZED (
    SELECT coalesce(max(key), 0) AS key FROM audit WHERE noun = 'customer' AND action = 'merge'
),
-- The documents (0), the payments (1) and the customers (2) of each file. One of its three sums is taken: that of amounts alone of an entry
-- from before there were others.
file AS MATERIALIZED (
    SELECT
        f.key, f.id, r.key AS which, r.value ->> 0 AS after, r.value ->> 1 AS upto, r.value ->> 2 AS number,
        r.value ->> 4 IS NOT NULL AS of_fields, r.value ->> 4 IS NOT NULL AND f.key >= m.key AS of_whose,
        r.value ->> (3 + (r.value ->> 4 IS NOT NULL) + (r.value ->> 4 IS NOT NULL AND f.key >= m.key)) AS told
    FROM (SELECT key, id, noun, CASE WHEN json_valid(change) THEN change END AS change FROM audit) AS f
    CROSS JOIN merge AS m
    CROSS JOIN json_each(f.change ->> '$.after.recorded') AS r
    WHERE f.noun IN ('import', 'bank-statement')
),
-- What lies before, between and after the ranges of files.
beside AS (
    SELECT which, coalesce(lag(upto) OVER (PARTITION BY which ORDER BY after, upto), 0) AS after, after AS upto FROM file
    UNION ALL
    SELECT o.value, coalesce((SELECT max(f.upto) FROM file AS f WHERE f.which = o.value), 0), 9223372036854775807
    FROM json_each('[0, 1]') AS o
),
made AS (
    SELECT key, noun, id, CASE WHEN json_valid(change) THEN change -> '$.after' END AS said
    FROM audit
    WHERE action = 'create' AND noun IN ('invoice', 'payment')
),
-- How documents and payments that were corrected read at first, in the fields that ever were.
original AS MATERIALIZED (
    SELECT invoice_key, payment_key, json_group_object(field, value) AS fields
    FROM (
        SELECT c.invoice_key, c.payment_key, f.key AS field, f.value AS value, min(c.key)
        FROM correction AS c CROSS JOIN json_each(c.before) AS f
        GROUP BY c.invoice_key, c.payment_key, f.key
    )
    GROUP BY invoice_key, payment_key
),
-- What corrections took off the sums, and what they added.
moved AS (
    SELECT invoice_key, payment_key, -1 AS sign, before AS fields FROM correction
    UNION ALL
    SELECT invoice_key, payment_key, 1, after FROM correction
),
-- What the range of each file reads, and what corrections added to that.
documents_read AS MATERIALIZED (
    SELECT
        f.id, f.number, f.told,
        (
            SELECT
                json_array(count(*), coalesce(sum((
                    i.amount_minor % 1000003
                    + iif(
                        f.of_fields,
                        unixepoch(i.due_on) / 86400 + length(i.kind) + coalesce(i.version_key, 0) % 1000003
                        + coalesce(i.relates_key, 0) % 1000003, 0
                    )
                    + iif(f.of_whose, i.customer_key % 1000003, 0)
                ) * (i.key % 8191 + 1)), 0))
            FROM invoice AS i NOT INDEXED
            WHERE i.key > f.after AND i.key <= f.upto AND i.entry_key = f.key
        ) AS reads,
        (
            SELECT
                coalesce(sum(c.sign * (
                    coalesce((c.fields ->> 'amount_minor') % 1000003, 0)
                    + iif(
                        f.of_fields,
                        coalesce(unixepoch(c.fields ->> 'due_on') / 86400, 0)
                        + coalesce((SELECT w.key FROM invoice AS w WHERE w.id = c.fields ->> 'relates_to'), 0) % 1000003
                        + coalesce(c.fields ->> 'version_key', 0) % 1000003, 0
                    )
                ) * (c.invoice_key % 8191 + 1)), 0)
            FROM moved AS c
            WHERE c.invoice_key > f.after AND c.invoice_key <= f.upto
        ) AS corrected
    FROM file AS f
    WHERE f.which = 0
),
payments_read AS MATERIALIZED (
    SELECT
        f.id, f.number, f.told,
        (
            SELECT
                json_array(count(*), coalesce(sum((
                    p.amount_minor % 1000003
                    + iif(
                        f.of_fields,
                        unixepoch(p.received_on) / 86400 + unicode(p.currency) + coalesce(p.invoice_key, 0) % 1000003, 0
                    )
                    + iif(f.of_whose, p.customer_key % 1000003, 0)
                ) * (p.key % 8191 + 1)), 0))
            FROM payment AS p NOT INDEXED
            WHERE p.key > f.after AND p.key <= f.upto AND p.entry_key = f.key
        ) AS reads,
        (
            SELECT
                coalesce(sum(c.sign * (
                    coalesce((c.fields ->> 'amount_minor') % 1000003, 0)
                    + iif(
                        f.of_fields,
                        coalesce(unixepoch(c.fields ->> 'received_on') / 86400, 0)
                        + coalesce((SELECT w.key FROM invoice AS w WHERE w.id = c.fields ->> 'invoice_id'), 0) % 1000003, 0
                    )
                ) * (c.payment_key % 8191 + 1)), 0)
            FROM moved AS c
            WHERE c.payment_key > f.after AND c.payment_key <= f.upto
        ) AS corrected
    FROM file AS f
    WHERE f.which = 1
),
-- How customers who were replaced read at first.
first_read AS MATERIALIZED (
    SELECT customer_key, document, min(key) AS key FROM customer_former GROUP BY customer_key
),
-- Of customers what neither a merge nor an erasure changes: no status, no group, nothing personal.
customers_read AS MATERIALIZED (
    SELECT
        f.id, f.number, f.told,
        (
            SELECT
                json_array(count(*), coalesce(sum((
                    coalesce(limit_minor, -1) % 1000003
                    + 1 * ifnull(31 * length(id) + unicode(id) + 7 * unicode(substr(id || ' ', 2)) + 13 * unicode(substr(id, -1)), 0)
                    + 3 * ifnull(31 * length(country) + unicode(country) + 7 * unicode(substr(country || ' ', 2)) + 13 * unicode(substr(country, -1)), 0)
                    + 5 * ifnull(31 * length(currency) + unicode(currency) + 7 * unicode(substr(currency || ' ', 2)) + 13 * unicode(substr(currency, -1)), 0)
                    + 7 * ifnull(31 * length(language) + unicode(language) + 7 * unicode(substr(language || ' ', 2)) + 13 * unicode(substr(language, -1)), 0)
                    + 11 * ifnull(31 * length(time_zone) + unicode(time_zone) + 7 * unicode(substr(time_zone || ' ', 2)) + 13 * unicode(substr(time_zone, -1)), 0)
                    + 13 * ifnull(31 * length(limit_currency) + unicode(limit_currency) + 7 * unicode(substr(limit_currency || ' ', 2)) + 13 * unicode(substr(limit_currency, -1)), 0)
                    + 17 * ifnull(31 * length(segment) + unicode(segment) + 7 * unicode(substr(segment || ' ', 2)) + 13 * unicode(substr(segment, -1)), 0)
                    + 19 * ifnull(31 * length(industry) + unicode(industry) + 7 * unicode(substr(industry || ' ', 2)) + 13 * unicode(substr(industry, -1)), 0)
                ) * (key % 8191 + 1)), 0))
            FROM (
                SELECT
                    c.key, c.id,
                    iif(o.customer_key IS NULL, c.country, o.document ->> '$.country') AS country,
                    iif(o.customer_key IS NULL, c.currency, o.document ->> '$.currency') AS currency,
                    iif(o.customer_key IS NULL, c.language, o.document ->> '$.language') AS language,
                    iif(o.customer_key IS NULL, c.time_zone, o.document ->> '$.time_zone') AS time_zone,
                    iif(o.customer_key IS NULL, c.limit_currency, o.document ->> '$.credit_limit.currency') AS limit_currency,
                    iif(o.customer_key IS NULL, c.segment, o.document ->> '$.segment') AS segment,
                    iif(o.customer_key IS NULL, c.industry, o.document ->> '$.industry') AS industry,
                    iif(o.customer_key IS NULL, c.limit_minor, o.document ->> '$.credit_limit.minor') AS limit_minor
                FROM customer AS c NOT INDEXED
                LEFT JOIN first_read AS o ON o.customer_key = c.key
                WHERE c.key > f.after AND c.key <= f.upto AND c.entry_key = f.key
            )
        ) AS reads,
        0 AS corrected
    FROM file AS f
    WHERE f.which = 2
),
found AS (
    SELECT 'file ' || f.id AS id
    FROM (
        SELECT * FROM documents_read
        UNION ALL
        SELECT * FROM payments_read
        UNION ALL
        SELECT * FROM customers_read
    ) AS f
    WHERE f.number <> f.reads ->> 0 OR f.told <> f.reads ->> 1 - f.corrected
    UNION ALL
    SELECT 'customer ' || c.id
    FROM customer AS c CROSS JOIN file AS f ON f.key = c.entry_key AND f.which = 2
    WHERE c.key <= f.after OR c.key > f.upto
    UNION ALL
    -- Beside files: an entry of its own, or one of a file from before entries said what they recorded.
    SELECT 'invoice ' || i.id
    FROM beside AS b
    CROSS JOIN invoice AS i NOT INDEXED ON i.key > b.after AND i.key <= b.upto AND b.which = 0
    CROSS JOIN audit AS a ON a.key = i.entry_key
    WHERE
        CASE
            WHEN a.noun = 'invoice' AND a.action = 'create'
                THEN a.id <> i.id AND a.id IS NOT (SELECT w.id FROM invoice AS w WHERE w.key = i.parent_key)
            ELSE a.noun <> 'import' OR a.key IN (SELECT key FROM file)
        END
    UNION ALL
    SELECT 'payment ' || p.id
    FROM beside AS b
    CROSS JOIN payment AS p NOT INDEXED ON p.key > b.after AND p.key <= b.upto AND b.which = 1
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
    LEFT JOIN original AS o ON o.invoice_key = i.key
    WHERE
        m.noun = 'invoice'
        AND (
            i.entry_key IS NOT m.key OR i.currency IS NOT m.said ->> '$.amount.currency'
            OR i.customer_key IS NOT coalesce(c.merged_key, c.key)
            OR m.said ->> 'issued_on' IS NOT coalesce(o.fields ->> 'issued_on', i.issued_on)
            OR i.kind IS NOT coalesce(m.said ->> 'kind', 'invoice')
            OR m.said ->> 'due_on' IS NOT NULL
            AND m.said ->> 'due_on' IS NOT coalesce(o.fields ->> 'due_on', i.due_on)
            OR coalesce(m.said ->> 'relates_to', '') IS NOT coalesce(
                o.fields ->> 'relates_to', (SELECT w.id FROM invoice AS w WHERE w.key = i.relates_key), ''
            )
            OR coalesce(m.said ->> 'penalty', 0) IS NOT coalesce(o.fields ->> 'penalty', i.penalty)
            -- Under the version of its contract that was in force then.
            OR coalesce(o.fields ->> 'version_key', i.version_key, 0) IS NOT coalesce((
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
                LEFT JOIN original AS k ON k.invoice_key = part.key
                WHERE
                    part.parent_key IS NOT i.key OR part.kind <> i.kind OR part.version_key IS NOT i.version_key
                    OR f.value ->> 'due_on' IS NOT coalesce(k.fields ->> 'due_on', part.due_on)
            )
            -- With its instalments, if it has any.
            OR m.said ->> '$.amount.minor' IS NOT (
                SELECT sum(coalesce(k.fields ->> 'amount_minor', piece.amount_minor))
                FROM (
                    SELECT i.key, i.amount_minor
                    UNION ALL
                    SELECT part.key, part.amount_minor FROM invoice AS part WHERE part.parent_key = i.key
                ) AS piece
                LEFT JOIN original AS k ON k.invoice_key = piece.key
            )
        )
    UNION ALL
    SELECT 'payment ' || m.id
    FROM made AS m
    LEFT JOIN payment AS p ON p.id = m.id
    LEFT JOIN customer AS c ON c.id = m.said ->> 'customer_id'
    LEFT JOIN original AS o ON o.payment_key = p.key
    WHERE
        m.noun = 'payment'
        AND (
            p.entry_key IS NOT m.key OR p.currency IS NOT m.said ->> '$.amount.currency'
            OR p.customer_key IS NOT coalesce(c.merged_key, c.key)
            OR m.said ->> 'received_on' IS NOT coalesce(o.fields ->> 'received_on', p.received_on)
            OR m.said ->> '$.amount.minor' IS NOT coalesce(o.fields ->> 'amount_minor', p.amount_minor)
            OR coalesce(m.said ->> 'invoice_id', '') IS NOT coalesce(
                o.fields ->> 'invoice_id', (SELECT w.id FROM invoice AS w WHERE w.key = p.invoice_key), ''
            )
            -- A correction to parts of several once dropped the one invoice that was named, and did not say so.
            AND NOT (
                coalesce(o.fields ->> 'invoice_id', p.invoice_key, '') = ''
                AND EXISTS (
                    SELECT 1 FROM correction AS dropping
                    WHERE
                        dropping.payment_key = p.key AND dropping.before ->> 'designation' IS NOT NULL
                        AND NOT EXISTS (
                            SELECT 1 FROM correction AS earlier
                            WHERE
                                earlier.payment_key = p.key AND earlier.key <= dropping.key
                                AND earlier.before ->> 'invoice_id' IS NOT NULL
                        )
                )
            )
            OR m.said ->> 'contract_id' IS NOT (SELECT h.id FROM contract AS h WHERE h.key = p.contract_key)
            OR m.said ->> 'order' IS NOT p.allocation_order
            OR coalesce(o.fields ->> 'designation', p.designation, '[]') IS NOT (
                SELECT json_group_array(json_array(w.key, f.value ->> 'minor'))
                FROM json_each(m.said, '$.designation') AS f CROSS JOIN invoice AS w ON w.id = f.value ->> 'invoice_id'
                WHERE w.currency = p.currency
            )
            OR coalesce(p.deductions, '[]') IS NOT (
                SELECT json_group_array(json_array(w.key, f.value ->> 'minor', f.value ->> 'reason'))
                FROM json_each(m.said, '$.deductions') AS f CROSS JOIN invoice AS w ON w.id = f.value ->> 'invoice_id'
                WHERE w.currency = p.currency
            )
            OR coalesce(p.settles, '[]') IS NOT (
                SELECT json_group_array(w.key)
                FROM json_each(m.said, '$.settles') AS f CROSS JOIN invoice AS w ON w.id = f.value
                WHERE w.currency = p.currency
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
            OR coalesce(part.deductions, '[]') IS NOT (
                SELECT json_group_array(json_array(w.key, f.value ->> 'minor', f.value ->> 'reason'))
                FROM json_each(m.said, '$.deductions') AS f CROSS JOIN invoice AS w ON w.id = f.value ->> 'invoice_id'
                WHERE w.currency = part.currency
            )
            OR coalesce(part.settles, '[]') IS NOT (
                SELECT json_group_array(w.key)
                FROM json_each(m.said, '$.settles') AS f CROSS JOIN invoice AS w ON w.id = f.value
                WHERE w.currency = part.currency
            )
        )
    UNION ALL
    -- The parts cost what was changed, where that was noted.
    SELECT 'payment ' || p.id
    FROM payment AS share CROSS JOIN payment AS p ON p.key = share.converted_from_key
    GROUP BY p.key
    HAVING count(share.cost_minor) = count(*) AND sum(share.cost_minor) <> p.converted_minor
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM (SELECT DISTINCT id FROM found))
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
