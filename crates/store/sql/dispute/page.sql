-- ?1: after this id, ?2: at most so many, ?3: customer or null, ?4: only this id when given, ?5: open, resolved or null,
-- ?6: the day, ?7: the last audit entry that was known. Its end is null where it had not come or was not known then.
-- It counts from its document's day where that is later. Parts of others are given by id only. Gives [[id, invoice_id, customer_id, opened_on, minor, currency, reason, detail,
-- evidence], [outcome, resolved_on, upheld_minor, resolution, part_of, [{invoice_id, minor, upheld_minor}]], the
-- document's day].
WITH
wanted AS (
    SELECT * FROM dispute WHERE ?3 IS NULL AND ?4 IS NULL AND id > ?1 AND whole_key IS NULL
    UNION ALL
    SELECT d.* FROM customer AS c CROSS JOIN dispute AS d ON d.customer_key = c.key
    WHERE c.id = ?3 AND ?4 IS NULL AND d.id > ?1 AND d.whole_key IS NULL
    UNION ALL
    SELECT * FROM dispute WHERE id = ?4
),
-- A decision that was put right later reads as it was said before.
said AS (
    SELECT
        w.key, w.whole_key, w.id, w.customer_key, w.invoice_key, w.opened_on, w.reason, w.detail, w.evidence,
        iif(coalesce(w.resolved_entry_key, 0) <= ?7, w.minor, coalesce(f.minor, w.minor)) AS minor,
        iif(coalesce(w.resolved_entry_key, 0) <= ?7, w.outcome, f.outcome) AS outcome,
        iif(coalesce(w.resolved_entry_key, 0) <= ?7, w.resolved_on, f.resolved_on) AS resolved_on,
        iif(coalesce(w.resolved_entry_key, 0) <= ?7, w.upheld_minor, f.upheld_minor) AS upheld_minor,
        iif(coalesce(w.resolved_entry_key, 0) <= ?7, w.resolution, f.resolution) AS resolution,
        -- As it was known then: a later correction has what it read before.
        coalesce(
            (
                SELECT o.before ->> 'issued_on' FROM correction AS o
                WHERE o.invoice_key = w.invoice_key AND o.entry_key > ?7 AND o.before ->> 'issued_on' IS NOT NULL
                ORDER BY o.key LIMIT 1
            ),
            (SELECT i.issued_on FROM invoice AS i WHERE i.key = w.invoice_key)
        ) AS document_on
    FROM wanted AS w
    LEFT JOIN dispute_former AS f ON f.dispute_key = w.key AND f.entry_key <= ?7 AND f.until_entry_key > ?7
    WHERE max(w.opened_on, document_on) <= ?6 AND coalesce(w.entry_key, 0) <= ?7
),
stood AS (
    SELECT *, coalesce(resolved_on <= ?6, 0) AS ended
    FROM said
),
page AS (
    SELECT * FROM stood
    WHERE ?5 IS NULL OR ended = (?5 = 'resolved')
    ORDER BY id
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            json_array(
                page.id, i.id, c.id, page.opened_on, page.minor, i.currency, page.reason, page.detail,
                json(page.evidence)
            ),
            json_array(
                iif(page.ended, page.outcome, NULL), iif(page.ended, page.resolved_on, NULL),
                iif(page.ended, page.upheld_minor, NULL), iif(page.ended, page.resolution, NULL),
                (SELECT w.id FROM dispute AS w WHERE w.key = page.whole_key),
                json((
                    SELECT
                        json_group_array(
                            json_object(
                                'invoice_id', n.id, 'minor',
                                iif(coalesce(p.resolved_entry_key, 0) <= ?7, p.minor, coalesce(f.minor, p.minor)),
                                'upheld_minor',
                                iif(
                                    page.ended,
                                    iif(coalesce(p.resolved_entry_key, 0) <= ?7, p.upheld_minor, f.upheld_minor),
                                    NULL
                                )
                            )
                            ORDER BY p.key
                        )
                    FROM dispute AS p
                    CROSS JOIN invoice AS n ON n.key = p.invoice_key
                    LEFT JOIN dispute_former AS f
                        ON f.dispute_key = p.key AND f.entry_key <= ?7 AND f.until_entry_key > ?7
                    WHERE
                        p.whole_key = page.key
                        AND (
                            iif(coalesce(p.resolved_entry_key, 0) <= ?7, p.minor, coalesce(f.minor, p.minor)) > 0
                            OR iif(coalesce(p.resolved_entry_key, 0) <= ?7, p.upheld_minor, f.upheld_minor) > 0
                        )
                    HAVING count(*) > 0
                ))
            ), page.document_on
        )
    )
FROM page
CROSS JOIN customer AS c ON c.key = page.customer_key
CROSS JOIN invoice AS i ON i.key = page.invoice_key
