-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: thirty days before it,
-- ?6: twelve months before that.
-- Gives two lists. What each customer bought in each currency: [customer_key, currency, [the largest invoice of 30
-- days, how many invoices in the 12 months before, their sum], [items issued in 12 months, amount, amount by days from
-- issue to due date, how many were contested], [invoices issued in 12 months, their sum]]. And [customer_key, days] from the last day with an unusually large
-- invoice to the nearest due date.
WITH
contested AS MATERIALIZED (
    SELECT DISTINCT invoice_key
    FROM dispute
    WHERE customer_key > ?1 AND customer_key <= ?2 AND opened_on <= ?3
),
claim AS MATERIALIZED (
    SELECT
        i.customer_key, i.currency, i.key, i.kind, i.issued_on, i.amount_minor,
        coalesce(i.parent_key, i.key) AS whole_key,
        julianday(i.due_on) - julianday(i.issued_on) AS days,
        i.key IN (SELECT invoice_key FROM contested)
        OR i.parent_key IS NOT NULL AND i.parent_key IN (SELECT invoice_key FROM contested) AS contested
    FROM invoice AS i
    WHERE
        i.customer_key > ?1 AND i.customer_key <= ?2 AND +i.issued_on > ?6 AND +i.issued_on <= ?3
        AND i.kind NOT IN ('credit-note', 'interest-note') AND i.amount_minor > 0
),
-- Invoices as a whole.
bought AS MATERIALIZED (
    SELECT customer_key, currency, issued_on, sum(amount_minor) AS minor
    FROM claim
    WHERE kind = 'invoice'
    GROUP BY whole_key
),
-- Invoices and the items of the year side by side.
trade AS (
    SELECT customer_key, currency, issued_on, minor AS order_minor, NULL AS minor, NULL AS days, NULL AS contested
    FROM bought
    UNION ALL
    SELECT customer_key, currency, issued_on, NULL, amount_minor, days, contested
    FROM claim
    WHERE issued_on > ?4
),
total AS MATERIALIZED (
    SELECT
        customer_key, currency,
        max(order_minor) FILTER (WHERE issued_on > ?5) AS largest,
        count(order_minor) FILTER (WHERE issued_on <= ?5) AS before,
        total(order_minor) FILTER (WHERE issued_on <= ?5) AS before_minor,
        count(order_minor) FILTER (WHERE issued_on > ?4) AS year,
        total(order_minor) FILTER (WHERE issued_on > ?4) AS year_minor,
        count(minor) AS items,
        total(minor) AS minor,
        total(minor * days) AS by_days,
        count(*) FILTER (WHERE contested) AS contested
    FROM trade
    GROUP BY customer_key, currency
),
-- At least twice the mean of the year, of three invoices or more.
large AS (
    SELECT b.customer_key, max(b.issued_on) AS large_on
    FROM bought AS b
    CROSS JOIN total AS s ON s.customer_key = b.customer_key AND s.currency = b.currency
    WHERE b.issued_on > ?4 AND s.year >= 3 AND b.minor * 1.0 * s.year >= 2 * s.year_minor
    GROUP BY b.customer_key
),
-- Of what was issued before that day and still open at its end.
nearest AS (
    SELECT
        l.customer_key,
        (
            SELECT CAST(julianday(min(i.due_on)) - julianday(l.large_on) AS INTEGER)
            FROM invoice AS i
            WHERE
                i.customer_key = l.customer_key AND +i.due_on >= l.large_on AND i.issued_on < l.large_on
                AND i.kind NOT IN ('credit-note', 'interest-note')
                AND i.amount_minor > coalesce(
                    (
                        SELECT sum(a.amount_minor) FROM allocation AS a
                        WHERE
                            a.customer_key = i.customer_key AND a.invoice_key = i.key
                            AND a.allocated_on <= l.large_on
                    ), 0
                )
        ) AS days
    FROM large AS l
)
SELECT
    json_array(
        (
            SELECT
                json_group_array(
                    json_array(
                        customer_key, currency, json_array(largest, before, before_minor),
                        json_array(items, minor, by_days, contested), json_array(year, year_minor)
                    )
                )
            FROM total
        ),
        (SELECT json_group_array(json_array(customer_key, days)) FROM nearest WHERE days IS NOT NULL)
    )
