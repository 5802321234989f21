-- ?1: after this customer, ?2: at most so many, ?3: the day, ?4: twelve months before it, ?5: the currency,
-- ?6: only of these, as a JSON array of keys, or null.
-- Gives [key, id, grade, the worst grade of who was merged into it since, tier, [turnover, first issued, outstanding],
-- [amount, share] of each guarantee or null, status, limit of the record, [ledger of its own limits, [amount, currency,
-- whether it is unlimited] of each individual one that waits] or null, [limit of the record of the head of its group,
-- ledger of the group's] or null] of customers in the order of keys: what a limit policy proposes from.
WITH
page AS MATERIALIZED (
    SELECT key, id, status, limit_minor, limit_currency, parent_key FROM customer
    WHERE ?6 IS NULL AND key > ?1 AND merged_key IS NULL
    UNION ALL
    SELECT c.key, c.id, c.status, c.limit_minor, c.limit_currency, c.parent_key
    FROM json_each(?6) AS j CROSS JOIN customer AS c ON c.key = j.value
    WHERE c.merged_key IS NULL
    ORDER BY 1
    LIMIT ?2
),
-- Read for the whole slice: to look into them customer by customer takes longer.
secured AS MATERIALIZED (
    SELECT g.customer_key AS key, json_group_array(json_array(g.amount_minor, g.share)) AS list
    FROM guarantee AS g
    WHERE
        g.customer_key IN (SELECT key FROM page) AND g.currency = ?5 AND g.valid_from <= ?3
        AND (g.valid_to IS NULL OR g.valid_to >= ?3) AND (g.claim_by IS NULL OR g.claim_by >= ?3)
    GROUP BY 1
),
dated AS MATERIALIZED (
    SELECT
        l.customer_key AS key,
        json_array(
            json_group_array(
                json_array(
                    l.kind, l.minor, l.currency, l.unlimited, l.mandatory, l.from_on, l.to_on, l.id, l.counts_key
                )
            ) FILTER (WHERE l.state = 'approved'),
            json_group_array(json_array(l.minor, l.currency, l.unlimited)) FILTER (WHERE l.state = 'pending' AND l.kind = 'individual')
        ) AS list
    FROM credit_limit AS l
    WHERE l.customer_key IN (SELECT key FROM page) AND l.kind <> 'group' AND l.state <> 'refused'
    GROUP BY 1
),
-- As in credit/position.sql.
joined AS MATERIALIZED (
    SELECT gone.merged_key AS key, max(judged.grade) AS grade
    FROM customer AS gone
    LEFT JOIN score AS s ON s.customer_key = gone.merged_key
    CROSS JOIN score_change AS judged ON judged.customer_key = gone.key
    WHERE
        gone.merged_key IN (SELECT key FROM page) AND gone.merged_on >= coalesce(s.as_of, '')
        AND judged.as_of = (
            SELECT max(latest.as_of) FROM score_change AS latest
            WHERE latest.customer_key = gone.key AND latest.as_of <= ?3
        )
    GROUP BY 1
),
-- What bounds the groups of the slice.
headed AS MATERIALIZED (
    SELECT
        h.key,
        json_array(
            json(iif(h.limit_minor IS NULL, 'null', json_array(h.limit_minor, h.limit_currency))),
            (
                SELECT
                    json_group_array(
                        json_array(
                            l.kind, l.minor, l.currency, l.unlimited, l.mandatory, l.from_on, l.to_on, l.id, l.counts_key
                        )
                    )
                FROM credit_limit AS l
                WHERE l.customer_key = h.key AND l.counts_key > 0 AND l.kind = 'group'
            )
        ) AS list
    FROM customer AS h
    WHERE
        h.key IN (
            SELECT page.parent_key FROM page WHERE page.parent_key IS NOT NULL
            UNION
            SELECT m.parent_key FROM customer AS m WHERE m.parent_key IN (SELECT key FROM page)
        )
),
-- What was credited, paid out of credits, contested with success or made void of invoices of the twelve months, as in facts/buying.sql.
taken AS MATERIALIZED (
    SELECT i.customer_key AS key, sum(t.minor) AS minor
    FROM (
        SELECT a.invoice_key AS key, a.amount_minor AS minor
        FROM allocation AS a
        WHERE
            a.customer_key IN (SELECT key FROM page) AND a.credit_key IS NOT NULL AND a.invoice_key IS NOT NULL
            AND a.allocated_on <= ?3
        UNION ALL
        SELECT a.invoice_key, a.amount_minor
        FROM adjustment AS w
        CROSS JOIN allocation AS a ON a.adjustment_key = w.key
        WHERE
            w.customer_key IN (SELECT key FROM page) AND w.difference IN ('voided', 'dispute-upheld')
            AND a.invoice_key IS NOT NULL AND +a.allocated_on <= ?3
        UNION ALL
        SELECT n.relates_key, a.amount_minor
        FROM allocation AS a
        CROSS JOIN invoice AS n ON n.key = a.credit_key
        WHERE
            a.customer_key IN (SELECT key FROM page) AND a.credit_key IS NOT NULL AND a.invoice_key IS NULL
            AND a.allocated_on <= ?3 AND n.relates_key IS NOT NULL
    ) AS t
    CROSS JOIN invoice AS i ON i.key = t.key
    WHERE i.kind = 'invoice' AND i.currency = ?5 AND i.issued_on > ?4 AND i.issued_on <= ?3
    GROUP BY 1
)
SELECT
    json_group_array(
        json_array(
            page.key, page.id, score.grade, joined.grade, score.tier,
            -- Counted along the index, which has all that is read.
            json(
                (
                    SELECT
                        json_array(
                            coalesce(
                                sum(
                                    iif(
                                        i.issued_on > ?4 AND i.issued_on <= ?3 AND i.currency = ?5
                                        AND i.kind = 'invoice',
                                        i.amount_minor, 0
                                    )
                                ), 0
                            ) - coalesce(taken.minor, 0),
                            min(i.issued_on),
                            coalesce(sum(iif(i.kind <> 'credit-note' AND i.currency = ?5, i.open_minor, 0)), 0)
                        )
                    FROM invoice AS i WHERE i.customer_key = page.key
                )
            ),
            json(secured.list),
            page.status,
            iif(page.limit_minor IS NULL, NULL, json_array(page.limit_minor, page.limit_currency)),
            json(dated.list),
            json(headed.list)
        )
        ORDER BY page.key
    )
FROM page
LEFT JOIN score ON score.customer_key = page.key
LEFT JOIN secured ON secured.key = page.key
LEFT JOIN dated ON dated.key = page.key
LEFT JOIN headed ON headed.key = coalesce(page.parent_key, page.key)
LEFT JOIN taken ON taken.key = page.key
LEFT JOIN joined ON joined.key = page.key
