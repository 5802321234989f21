-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: tolerances by currency, 100 of those not named.
-- Gives [customer_key, currency, outstanding, overdue, [unpaid, contested, 1 to 30, 31 to 60, 61 to 90 and more than 90
-- days overdue]] for whoever owes anything on the day or had it given up. What is outstanding is owed; what is unpaid is
-- that, what stands of write-offs, and what was settled with money that came after the due date. What nobody would be reminded of is not overdue here: what is contested, and what
-- is left of a claim below the tolerance.
WITH
unpaid AS MATERIALIZED (
    SELECT invoice_key, coalesce(sum(minor) FILTER (WHERE owed), 0) AS open, sum(minor) AS minor
    FROM (
        SELECT key AS invoice_key, open_minor AS minor, 1 AS owed
        FROM invoice
        WHERE customer_key > ?1 AND customer_key <= ?2 AND open_minor > 0 AND +issued_on <= ?3
        UNION ALL
        SELECT invoice_key, amount_minor, 1
        FROM allocation
        WHERE customer_key > ?1 AND customer_key <= ?2 AND allocated_on > ?3 AND invoice_key IS NOT NULL
        UNION ALL
        SELECT a.invoice_key, a.amount_minor, 0
        FROM adjustment AS w
        CROSS JOIN allocation AS a ON a.adjustment_key = w.key
        WHERE
            w.customer_key > ?1 AND w.customer_key <= ?2 AND w.difference = 'write-off' AND +a.allocated_on <= ?3
            AND a.invoice_key IS NOT NULL
        UNION ALL
        SELECT a.invoice_key, a.amount_minor, 0
        FROM allocation AS a
        CROSS JOIN payment AS p ON p.key = a.difference_key
        CROSS JOIN invoice AS i ON i.key = a.invoice_key
        WHERE
            a.customer_key > ?1 AND a.customer_key <= ?2 AND a.difference = 'full-settlement'
            AND +a.allocated_on <= ?3 AND p.received_on > i.due_on
    )
    GROUP BY invoice_key
    HAVING sum(minor) > 0
),
-- What is contested of each document or instalment. A dispute of a whole is in its parts.
contested AS MATERIALIZED (
    SELECT invoice_key, sum(minor) AS minor
    FROM dispute
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND opened_on <= ?3
        AND (resolved_on IS NULL OR resolved_on > ?3)
    GROUP BY invoice_key
),
claim AS (
    SELECT
        i.customer_key, i.currency, o.open, o.minor, min(o.minor, coalesce(c.minor, 0)) AS contested,
        julianday(?3) - julianday(i.due_on) AS late,
        iif(
            o.open - coalesce(c.minor, 0) >= coalesce(?4 ->> i.currency, 100), o.open - coalesce(c.minor, 0), 0
        ) AS reminded,
        iif(
            o.minor - coalesce(c.minor, 0) >= coalesce(?4 ->> i.currency, 100), o.minor - coalesce(c.minor, 0), 0
        ) AS chased
    FROM unpaid AS o
    CROSS JOIN invoice AS i ON i.key = o.invoice_key
    LEFT JOIN contested AS c ON c.invoice_key = o.invoice_key
    WHERE i.kind <> 'credit-note' AND i.issued_on <= ?3
    -- Worked out once, not at each use.
    LIMIT -1
)
SELECT
    json_group_array(
        json_array(
            customer_key, currency, outstanding, overdue,
            json_array(unpaid, contested, upto_30, upto_60, upto_90, over_90)
        )
    )
FROM (
    SELECT
        customer_key, currency, sum(open) AS outstanding,
        sum(CASE WHEN late > 0 THEN reminded ELSE 0 END) AS overdue,
        sum(minor) AS unpaid, sum(contested) AS contested,
        sum(CASE WHEN late BETWEEN 1 AND 30 THEN chased ELSE 0 END) AS upto_30,
        sum(CASE WHEN late BETWEEN 31 AND 60 THEN chased ELSE 0 END) AS upto_60,
        sum(CASE WHEN late BETWEEN 61 AND 90 THEN chased ELSE 0 END) AS upto_90,
        sum(CASE WHEN late > 90 THEN chased ELSE 0 END) AS over_90
    FROM claim
    GROUP BY customer_key, currency
)
