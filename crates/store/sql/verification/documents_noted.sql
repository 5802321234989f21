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
        recorded ->> '$[0][3]' AS control
    FROM file
),
payments AS MATERIALIZED (
    SELECT
        key, id, recorded ->> '$[1][0]' AS after, recorded ->> '$[1][1]' AS upto, recorded ->> '$[1][2]' AS number,
        recorded ->> '$[1][3]' AS control
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
found AS (
    SELECT 'file ' || f.id AS id
    FROM documents AS f
    WHERE
        json_array(f.number, f.control) <> (
            SELECT
                json_array(
                    count(*), coalesce(sum((i.amount_minor % 1000003) * (i.key % 8191 + 1)), 0) - (
                        SELECT
                            coalesce(sum(
                                ((c.after ->> 'amount_minor') % 1000003 - (c.before ->> 'amount_minor') % 1000003)
                                * (c.invoice_key % 8191 + 1)
                            ), 0)
                        FROM correction AS c
                        WHERE c.invoice_key > f.after AND c.invoice_key <= f.upto
                    )
                )
            FROM invoice AS i NOT INDEXED
            WHERE i.key > f.after AND i.key <= f.upto AND i.entry_key = f.key
        )
    UNION ALL
    SELECT 'file ' || f.id
    FROM payments AS f
    WHERE
        json_array(f.number, f.control) <> (
            SELECT
                json_array(
                    count(*), coalesce(sum((p.amount_minor % 1000003) * (p.key % 8191 + 1)), 0) - (
                        SELECT
                            coalesce(sum(
                                ((c.after ->> 'amount_minor') % 1000003 - (c.before ->> 'amount_minor') % 1000003)
                                * (c.payment_key % 8191 + 1)
                            ), 0)
                        FROM correction AS c
                        WHERE c.payment_key > f.after AND c.payment_key <= f.upto
                    )
                )
            FROM payment AS p NOT INDEXED
            WHERE p.key > f.after AND p.key <= f.upto AND p.entry_key = f.key
        )
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
        )
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM (SELECT DISTINCT id FROM found))
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
