-- ?1: after this customer, ?2: up to this one, ?3: the day.
-- Gives [customer_key, currency, outstanding, [1 to 30, 31 to 60, 61 to 90 and more than 90 days overdue], contested]
-- for whoever owes anything on the day.
WITH
open AS (
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
-- What is contested of each invoice as a whole.
contested AS MATERIALIZED (
    SELECT coalesce(i.parent_key, i.key) AS whole_key, sum(d.minor) AS minor
    FROM dispute AS d
    CROSS JOIN invoice AS i ON i.key = d.invoice_key
    WHERE
        d.customer_key > ?1 AND d.customer_key <= ?2 AND d.opened_on <= ?3
        AND (d.resolved_on IS NULL OR d.resolved_on > ?3)
    GROUP BY 1
),
whole AS (
    SELECT
        i.customer_key, i.currency, coalesce(i.parent_key, i.key) AS whole_key, sum(o.minor) AS minor,
        sum(CASE WHEN julianday(?3) - julianday(i.due_on) BETWEEN 1 AND 30 THEN o.minor ELSE 0 END) AS upto_30,
        sum(CASE WHEN julianday(?3) - julianday(i.due_on) BETWEEN 31 AND 60 THEN o.minor ELSE 0 END) AS upto_60,
        sum(CASE WHEN julianday(?3) - julianday(i.due_on) BETWEEN 61 AND 90 THEN o.minor ELSE 0 END) AS upto_90,
        sum(CASE WHEN julianday(?3) - julianday(i.due_on) > 90 THEN o.minor ELSE 0 END) AS over_90
    FROM open AS o
    CROSS JOIN invoice AS i ON i.key = o.invoice_key
    WHERE i.kind <> 'credit-note' AND i.issued_on <= ?3
    GROUP BY i.customer_key, i.currency, 3
)
SELECT
    json_group_array(
        json_array(
            customer_key, currency, outstanding, json_array(upto_30, upto_60, upto_90, over_90), contested
        )
    )
FROM (
    SELECT
        w.customer_key, w.currency, sum(w.minor) AS outstanding, sum(w.upto_30) AS upto_30, sum(w.upto_60) AS upto_60,
        sum(w.upto_90) AS upto_90, sum(w.over_90) AS over_90, sum(min(w.minor, coalesce(c.minor, 0))) AS contested
    FROM whole AS w
    LEFT JOIN contested AS c ON c.whole_key = w.whole_key
    GROUP BY w.customer_key, w.currency
)
