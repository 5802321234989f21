-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: tolerances by currency, 100 of those not named.
-- Gives [customer_key, currency, outstanding, [1 to 30, 31 to 60, 61 to 90 and more than 90 days overdue], contested,
-- past due] for whoever owes anything on the day. What nobody would be reminded of is past due and not overdue here: what
-- is contested, and what is left of a claim below the tolerance.
WITH
open AS MATERIALIZED (
    SELECT invoice_key, sum(minor) AS minor
    FROM (
        SELECT key AS invoice_key, open_minor AS minor
        FROM invoice
        WHERE customer_key > ?1 AND customer_key <= ?2 AND open_minor > 0 AND +issued_on <= ?3
        UNION ALL
        SELECT invoice_key, amount_minor
        FROM allocation
        WHERE customer_key > ?1 AND customer_key <= ?2 AND allocated_on > ?3 AND invoice_key IS NOT NULL
    )
    GROUP BY invoice_key
    HAVING sum(minor) > 0
),
-- What is contested of each invoice as a whole. Of instalments it is what fell due first.
contested AS MATERIALIZED (
    SELECT coalesce(i.parent_key, i.key) AS whole_key, sum(d.minor) AS minor
    FROM dispute AS d
    CROSS JOIN invoice AS i ON i.key = d.invoice_key
    WHERE
        d.customer_key > ?1 AND d.customer_key <= ?2 AND d.opened_on <= ?3
        AND (d.resolved_on IS NULL OR d.resolved_on > ?3)
        AND d.key NOT IN (SELECT p.whole_key FROM dispute AS p WHERE p.whole_key IS NOT NULL)
    GROUP BY 1
),
claim AS (
    SELECT
        i.customer_key, i.currency, coalesce(i.parent_key, i.key) AS whole_key, c.minor AS contested, o.minor,
        julianday(?3) - julianday(i.due_on) AS late, coalesce(?4 ->> i.currency, 100) AS tolerance,
        CASE
            WHEN c.minor IS NULL THEN o.minor
            WHEN i.parent_key IS NULL THEN max(o.minor - c.minor, 0)
            ELSE
                o.minor - max(
                    0,
                    min(
                        o.minor,
                        c.minor - (
                            SELECT coalesce(sum(p.minor), 0)
                            FROM open AS p
                            CROSS JOIN invoice AS j ON j.key = p.invoice_key
                            WHERE
                                j.parent_key = i.parent_key AND j.issued_on <= ?3
                                AND (j.due_on, j.key) < (i.due_on, i.key)
                        )
                    )
                )
        END AS chased
    FROM open AS o
    CROSS JOIN invoice AS i ON i.key = o.invoice_key
    LEFT JOIN contested AS c ON c.whole_key = coalesce(i.parent_key, i.key)
    WHERE i.kind <> 'credit-note' AND i.issued_on <= ?3
    -- Worked out once, not at each use.
    LIMIT -1
),
whole AS (
    SELECT
        customer_key, currency, sum(minor) AS minor, min(sum(minor), coalesce(max(contested), 0)) AS contested,
        sum(CASE WHEN late > 0 THEN minor ELSE 0 END) AS past_due,
        sum(CASE WHEN late BETWEEN 1 AND 30 AND chased >= tolerance THEN chased ELSE 0 END) AS upto_30,
        sum(CASE WHEN late BETWEEN 31 AND 60 AND chased >= tolerance THEN chased ELSE 0 END) AS upto_60,
        sum(CASE WHEN late BETWEEN 61 AND 90 AND chased >= tolerance THEN chased ELSE 0 END) AS upto_90,
        sum(CASE WHEN late > 90 AND chased >= tolerance THEN chased ELSE 0 END) AS over_90
    FROM claim
    GROUP BY customer_key, currency, whole_key
)
SELECT
    json_group_array(
        json_array(
            customer_key, currency, outstanding, json_array(upto_30, upto_60, upto_90, over_90), contested,
            past_due
        )
    )
FROM (
    SELECT
        customer_key, currency, sum(minor) AS outstanding, sum(upto_30) AS upto_30, sum(upto_60) AS upto_60,
        sum(upto_90) AS upto_90, sum(over_90) AS over_90, sum(contested) AS contested,
        sum(past_due) AS past_due
    FROM whole
    GROUP BY customer_key, currency
)
