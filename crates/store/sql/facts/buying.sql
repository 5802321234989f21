-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: thirty days before it,
-- ?6: twelve months before that.
-- Gives two lists. What each customer bought in each currency: [customer_key, currency, [the largest invoice of 30
-- days, how many invoices in the 12 months before, their sum], [items issued in 12 months, amount, amount by days from
-- issue to due date, how many were contested]]. And [customer_key, days] from the last day with an unusually large
-- invoice to the nearest due date.
WITH
claim AS MATERIALIZED (
    SELECT
        i.customer_key, i.currency, i.key, i.kind, i.issued_on, i.amount_minor,
        coalesce(i.parent_key, i.key) AS whole_key,
        julianday(i.due_on) - julianday(i.issued_on) AS days,
        EXISTS (
            SELECT 1 FROM dispute AS d
            WHERE d.invoice_key IN (i.key, i.parent_key) AND d.opened_on <= ?3
        ) AS contested
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
size AS (
    SELECT
        customer_key, currency,
        max(minor) FILTER (WHERE issued_on > ?5) AS largest,
        count(*) FILTER (WHERE issued_on <= ?5) AS before,
        total(minor) FILTER (WHERE issued_on <= ?5) AS before_minor,
        count(*) FILTER (WHERE issued_on > ?4) AS year,
        total(minor) FILTER (WHERE issued_on > ?4) AS year_minor
    FROM bought
    GROUP BY customer_key, currency
),
terms AS (
    SELECT
        customer_key, currency, count(*) AS items, total(amount_minor) AS minor, total(amount_minor * days) AS by_days,
        sum(contested) AS contested
    FROM claim
    WHERE issued_on > ?4
    GROUP BY customer_key, currency
),
-- At least twice the mean of the year, of three invoices or more.
large AS (
    SELECT b.customer_key, max(b.issued_on) AS large_on
    FROM bought AS b
    JOIN size AS s ON s.customer_key = b.customer_key AND s.currency = b.currency
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
                        t.customer_key, t.currency,
                        json_array(s.largest, coalesce(s.before, 0), coalesce(s.before_minor, 0.0)),
                        json_array(t.items, t.minor, t.by_days, t.contested)
                    )
                )
            FROM (
                SELECT customer_key, currency, items, minor, by_days, contested FROM terms
                UNION ALL
                SELECT customer_key, currency, 0, 0.0, 0.0, 0 FROM size
                WHERE (customer_key, currency) NOT IN (SELECT customer_key, currency FROM terms)
            ) AS t
            LEFT JOIN size AS s ON s.customer_key = t.customer_key AND s.currency = t.currency
        ),
        (SELECT json_group_array(json_array(customer_key, days)) FROM nearest WHERE days IS NOT NULL)
    )
