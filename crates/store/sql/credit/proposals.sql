-- ?1: after this customer, ?2: at most so many, ?3: the day, ?4: twelve months before it, ?5: the currency,
-- ?6: only of these, as a JSON array of keys, or null.
-- Gives [key, id, grade, tier, turnover, amount and share of each guarantee, first issued, outstanding, status, limit of the record, ledger of
-- individual limits, amount, currency and whether it is unlimited of each that waits] of customers in the order of keys: what a limit policy proposes from.
WITH
page AS MATERIALIZED (
    SELECT key, id, status, limit_minor, limit_currency FROM customer
    WHERE ?6 IS NULL AND key > ?1 AND merged_key IS NULL
    UNION ALL
    SELECT c.key, c.id, c.status, c.limit_minor, c.limit_currency
    FROM json_each(?6) AS j CROSS JOIN customer AS c ON c.key = j.value
    WHERE c.merged_key IS NULL
    ORDER BY 1
    LIMIT ?2
),
-- Counted in one pass along the index, which has all that is read.
bought AS MATERIALIZED (
    SELECT
        p.key,
        sum(
            CASE
                WHEN i.kind = 'invoice' AND i.issued_on > ?4 AND i.issued_on <= ?3 AND i.currency = ?5 THEN i.amount_minor
                WHEN i.kind = 'credit-note' AND i.issued_on > ?4 AND i.issued_on <= ?3 AND i.currency = ?5
                    THEN -i.amount_minor
                ELSE 0
            END
        ) AS turnover,
        min(i.issued_on) AS first_on,
        sum(CASE WHEN i.kind <> 'credit-note' AND i.currency = ?5 THEN i.open_minor ELSE 0 END) AS outstanding
    FROM page AS p CROSS JOIN invoice AS i ON i.customer_key = p.key
    GROUP BY p.key
),
borne AS MATERIALIZED (
    SELECT p.key, json_group_array(json_array(g.amount_minor, g.share)) AS covers
    FROM page AS p CROSS JOIN guarantee AS g ON g.customer_key = p.key
    WHERE
        g.currency = ?5 AND g.valid_from <= ?3 AND (g.valid_to IS NULL OR g.valid_to >= ?3)
        AND (g.claim_by IS NULL OR g.claim_by >= ?3)
    GROUP BY p.key
),
dated AS MATERIALIZED (
    SELECT
        p.key,
        json_group_array(
            json_array(
                l.kind, l.minor, l.currency, l.unlimited, l.mandatory, l.from_on, l.to_on, l.id, l.counts_key
            )
        ) FILTER (WHERE l.state = 'approved') AS ledger,
        json_group_array(json_array(l.minor, l.currency, l.unlimited)) FILTER (WHERE l.state = 'pending') AS waiting
    FROM page AS p CROSS JOIN credit_limit AS l ON l.customer_key = p.key
    WHERE l.kind = 'individual' AND l.state <> 'refused'
    GROUP BY p.key
)
SELECT
    json_group_array(
        json_array(
            page.key, page.id, score.grade, score.tier, coalesce(bought.turnover, 0), json(coalesce(borne.covers, '[]')),
            bought.first_on,
            coalesce(bought.outstanding, 0), page.status,
            iif(page.limit_minor IS NULL, NULL, json_array(page.limit_minor, page.limit_currency)),
            json(coalesce(dated.ledger, '[]')), json(coalesce(dated.waiting, '[]'))
        )
        ORDER BY page.key
    )
FROM page
LEFT JOIN score ON score.customer_key = page.key
LEFT JOIN bought ON bought.key = page.key
LEFT JOIN borne ON borne.key = page.key
LEFT JOIN dated ON dated.key = page.key
