-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: ninety days before it.
-- Gives seven lists: [customer_key, open defaults, the day of the oldest, plans and promises broken in 12 months, those of
-- them that are open] of whoever
-- had a default by the day;
-- [customer_key, open defaults of the whole group] of whoever is in one; [customer_key, payments that failed in 90
-- days, mandates cancelled in 12 months] of whom any event had come in; [customer_key, kind, last day, currency,
-- contract_key, amount, share] of what secures debts on the day; [customer_key, currency, contract_key, outstanding]
-- under the contracts that such names; [customer_key, last day of the contract in force that ends first, nearest
-- milestone of a contract in force]; and [customer_key, 0 guarantee, 1 insurance or 2 contract, last day] of what ended
-- last in 12 months, where none of its sort that began later is in force.
WITH
own_default AS (
    SELECT
        customer_key,
        count(*) FILTER (WHERE closed_on IS NULL OR closed_on > ?3) AS open,
        min(found_on) FILTER (WHERE closed_on IS NULL OR closed_on > ?3) AS oldest_on,
        count(*) FILTER (
            WHERE kind = 'broken-plan' AND found_on > ?4 AND NOT (state = 'withdrawn' AND closed_on <= ?3)
        ) AS broken,
        count(*) FILTER (WHERE kind = 'broken-plan' AND (closed_on IS NULL OR closed_on > ?3)) AS broken_open
    FROM default_record
    WHERE customer_key > ?1 AND customer_key <= ?2 AND found_on <= ?3
    GROUP BY customer_key
),
-- Whose record was replaced since the day is in the group that the first of its former ones names.
placed AS MATERIALIZED (
    SELECT c.key AS customer_key, iif(f.key IS NULL, c.parent_key, f.parent_key) AS parent_key
    FROM customer AS c
    LEFT JOIN customer_former AS f ON f.key = (
        SELECT min(e.key) FROM customer_former AS e WHERE e.customer_key = c.key AND e.until_on > ?3
    )
    WHERE c.key > ?1 AND c.key <= ?2
),
member AS MATERIALIZED (
    SELECT p.customer_key, coalesce(p.parent_key, p.customer_key) AS head_key
    FROM placed AS p
    WHERE
        p.parent_key IS NOT NULL
        OR EXISTS (
            SELECT 1 FROM customer AS o
            WHERE
                o.parent_key = p.customer_key
                AND NOT EXISTS (SELECT 1 FROM customer_former AS e WHERE e.customer_key = o.key AND e.until_on > ?3)
        )
        OR EXISTS (
            SELECT 1 FROM customer_former AS f
            WHERE
                f.parent_key = p.customer_key AND f.until_on > ?3
                AND f.key = (
                    SELECT min(e.key) FROM customer_former AS e
                    WHERE e.customer_key = f.customer_key AND e.until_on > ?3
                )
        )
),
everybody AS (
    SELECT head_key, head_key AS customer_key FROM member
    UNION
    SELECT m.head_key, c.key
    FROM member AS m
    CROSS JOIN customer AS c ON c.parent_key = m.head_key
    WHERE NOT EXISTS (SELECT 1 FROM customer_former AS e WHERE e.customer_key = c.key AND e.until_on > ?3)
    UNION
    SELECT m.head_key, f.customer_key
    FROM member AS m
    CROSS JOIN customer_former AS f ON f.parent_key = m.head_key AND f.until_on > ?3
    WHERE
        f.key = (
            SELECT min(e.key) FROM customer_former AS e WHERE e.customer_key = f.customer_key AND e.until_on > ?3
        )
),
group_default AS (
    SELECT e.head_key, count(d.key) AS open
    FROM everybody AS e
    LEFT JOIN default_record AS d
        ON d.customer_key = e.customer_key AND d.found_on <= ?3 AND (d.closed_on IS NULL OR d.closed_on > ?3)
    GROUP BY e.head_key
),
-- Whether anything came in is asked of each customer; what came in is counted where there is any.
told AS (
    SELECT
        c.key AS customer_key,
        (
            SELECT count(*) FROM customer_event AS e
            WHERE e.customer_key = c.key AND e.happened_on > ?5 AND e.happened_on <= ?3 AND e.kind = 'payment-failed'
        ) AS failed,
        (
            SELECT count(*) FROM customer_event AS e
            WHERE
                e.customer_key = c.key AND e.happened_on > ?4 AND e.happened_on <= ?3
                AND e.kind = 'mandate-cancelled'
        ) AS cancelled
    FROM customer AS c
    WHERE
        c.key > ?1 AND c.key <= ?2
        AND (
            EXISTS (
                SELECT 1 FROM inbound_event AS e WHERE e.customer_key = c.key AND substr(e.received_at, 1, 10) <= ?3
            )
            OR EXISTS (SELECT 1 FROM customer_event AS e WHERE e.customer_key = c.key AND e.happened_on <= ?3)
        )
),
cover AS MATERIALIZED (
    SELECT
        customer_key, kind, min(coalesce(valid_to, claim_by), coalesce(claim_by, valid_to)) AS last_on, currency,
        contract_key, amount_minor, share
    FROM guarantee
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND valid_from <= ?3 AND (valid_to IS NULL OR valid_to >= ?3)
        AND (claim_by IS NULL OR claim_by >= ?3)
),
ended AS (
    SELECT customer_key, kind = 'insurance' AS sort, valid_from, last_on
    FROM (
        SELECT *, min(coalesce(valid_to, claim_by), coalesce(claim_by, valid_to)) AS last_on
        FROM guarantee
        WHERE customer_key > ?1 AND customer_key <= ?2
    )
    WHERE last_on < ?3 AND last_on > ?4
),
bound AS MATERIALIZED (
    SELECT DISTINCT customer_key, contract_key FROM cover WHERE contract_key IS NOT NULL
),
-- What was allocated after the day was still open on it.
piece AS (
    SELECT b.customer_key, b.contract_key, i.currency, i.open_minor AS minor
    FROM bound AS b
    CROSS JOIN invoice AS i ON i.customer_key = b.customer_key
    WHERE
        i.issued_on <= ?3 AND i.open_minor > 0 AND i.kind <> 'credit-note'
        AND i.version_key IN (SELECT v.key FROM contract_version AS v WHERE v.contract_key = b.contract_key)
    UNION ALL
    SELECT b.customer_key, b.contract_key, i.currency, a.amount_minor
    FROM bound AS b
    CROSS JOIN allocation AS a ON a.customer_key = b.customer_key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE
        a.allocated_on > ?3 AND i.issued_on <= ?3 AND i.kind <> 'credit-note'
        AND i.version_key IN (SELECT v.key FROM contract_version AS v WHERE v.contract_key = b.contract_key)
),
under AS (
    SELECT customer_key, currency, contract_key, sum(minor) AS minor
    FROM piece
    GROUP BY customer_key, currency, contract_key
    HAVING sum(minor) > 0
),
-- The version of each contract that is in force, or was the last one.
last_version AS MATERIALIZED (
    SELECT k.customer_key, v.key, v.effective_on, v.ends_on
    FROM contract AS k
    CROSS JOIN contract_version AS v ON v.key = (
        SELECT w.key FROM contract_version AS w
        WHERE w.contract_key = k.key AND w.effective_on <= ?3
        ORDER BY w.effective_on DESC, w.version DESC
        LIMIT 1
    )
    WHERE k.customer_key > ?1 AND k.customer_key <= ?2
),
lapsed AS (
    SELECT e.customer_key, e.sort, max(e.last_on) AS last_on
    FROM ended AS e
    WHERE
        NOT EXISTS (
            SELECT 1 FROM guarantee AS g
            WHERE
                g.customer_key = e.customer_key AND (g.kind = 'insurance') = e.sort AND g.valid_from > e.valid_from
                AND g.valid_from <= ?3 AND (g.valid_to IS NULL OR g.valid_to >= ?3)
                AND (g.claim_by IS NULL OR g.claim_by >= ?3)
        )
    GROUP BY e.customer_key, e.sort
    UNION ALL
    SELECT v.customer_key, 2, max(v.ends_on)
    FROM last_version AS v
    WHERE
        v.ends_on < ?3 AND v.ends_on > ?4
        AND NOT EXISTS (
            SELECT 1 FROM last_version AS n
            WHERE
                n.customer_key = v.customer_key AND n.effective_on > v.effective_on
                AND (n.ends_on IS NULL OR n.ends_on >= ?3)
        )
    GROUP BY v.customer_key
),
agreed AS (
    SELECT
        k.customer_key,
        min(v.ends_on) AS last_on,
        min(
            (
                SELECT min(m.value ->> 'on')
                FROM json_each(v.document, '$.milestones') AS m
                WHERE m.value ->> 'on' >= ?3
            )
        ) AS milestone_on
    FROM last_version AS k
    CROSS JOIN contract_version AS v ON v.key = k.key
    WHERE k.ends_on IS NULL OR k.ends_on >= ?3
    GROUP BY k.customer_key
    HAVING last_on IS NOT NULL OR milestone_on IS NOT NULL
)
SELECT
    json_array(
        (SELECT json_group_array(json_array(customer_key, open, oldest_on, broken, broken_open)) FROM own_default),
        (
            SELECT json_group_array(json_array(m.customer_key, g.open))
            FROM member AS m CROSS JOIN group_default AS g ON g.head_key = m.head_key
        ),
        (SELECT json_group_array(json_array(customer_key, failed, cancelled)) FROM told),
        (
            SELECT
                json_group_array(
                    json_array(customer_key, kind, last_on, currency, contract_key, amount_minor, share)
                )
            FROM cover
        ),
        (SELECT json_group_array(json_array(customer_key, currency, contract_key, minor)) FROM under),
        (SELECT json_group_array(json_array(customer_key, last_on, milestone_on)) FROM agreed),
        (SELECT json_group_array(json_array(customer_key, sort, last_on)) FROM lapsed)
    )
