-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: thirty days before it,
-- ?6: twelve months before that.
-- Gives two lists. What each customer bought in each currency: [customer_key, currency, [the largest invoice of 30
-- days, how many invoices in the 12 months before, their sum], [items issued in 12 months, amount, amount by days from
-- issue to due date, how many were contested], [invoices issued in 12 months, their sum]]. And [customer_key, days] from
-- the last day with an unusually large invoice to the nearest due date. An invoice is what is left of it when what was
-- credited, contested with success, made void, or paid out of a credit note about it by the day is taken off, as in
-- credit/proposals.sql.
WITH
contested AS MATERIALIZED (
    SELECT DISTINCT invoice_key
    FROM dispute
    WHERE customer_key > ?1 AND customer_key <= ?2 AND opened_on <= ?3 AND minor > 0
),
taken AS MATERIALIZED (
    SELECT key, sum(minor) AS minor
    FROM (
        SELECT invoice_key AS key, amount_minor AS minor
        FROM allocation
        WHERE
            customer_key > ?1 AND customer_key <= ?2 AND credit_key IS NOT NULL AND invoice_key IS NOT NULL
            AND +allocated_on <= ?3
        UNION ALL
        SELECT a.invoice_key, a.amount_minor
        FROM adjustment AS w
        CROSS JOIN allocation AS a ON a.adjustment_key = w.key
        WHERE
            w.customer_key > ?1 AND w.customer_key <= ?2 AND w.difference IN ('voided', 'dispute-upheld')
            AND a.invoice_key IS NOT NULL AND +a.allocated_on <= ?3
        UNION ALL
        -- Of a document with instalments from one of them: they are looked at together.
        SELECT coalesce((SELECT min(p.key) FROM invoice AS p WHERE p.parent_key = note.relates_key), note.relates_key), a.amount_minor
        FROM allocation AS a
        CROSS JOIN invoice AS note ON note.key = a.credit_key
        WHERE
            a.customer_key > ?1 AND a.customer_key <= ?2 AND a.credit_key IS NOT NULL AND a.invoice_key IS NULL
            AND +a.allocated_on <= ?3 AND note.relates_key IS NOT NULL
    )
    GROUP BY key
),
instalment AS MATERIALIZED (
    SELECT key, parent_key FROM invoice WHERE customer_key > ?1 AND customer_key <= ?2 AND parent_key IS NOT NULL
),
-- Invoices that are not what their row says.
other AS MATERIALIZED (
    SELECT key, parent_key AS whole_key FROM instalment
    UNION ALL
    SELECT key, key FROM taken WHERE key NOT IN (SELECT key FROM instalment)
),
-- Items, and invoices but those others, in the order of the index.
single AS (
    SELECT
        customer_key, currency,
        max(amount_minor) FILTER (WHERE ordered AND issued_on > ?5) AS largest,
        count(*) FILTER (WHERE ordered AND issued_on <= ?5) AS before,
        total(amount_minor) FILTER (WHERE ordered AND issued_on <= ?5) AS before_minor,
        count(*) FILTER (WHERE issued_on > ?4) AS items,
        total(amount_minor) FILTER (WHERE issued_on > ?4) AS minor,
        total(amount_minor * (julianday(due_on) - julianday(issued_on))) FILTER (WHERE issued_on > ?4) AS by_days,
        count(*) FILTER (WHERE contested AND issued_on > ?4) AS contested,
        count(*) FILTER (WHERE ordered AND issued_on > ?4) AS year,
        total(amount_minor) FILTER (WHERE ordered AND issued_on > ?4) AS year_minor,
        max(amount_minor) FILTER (WHERE ordered AND issued_on > ?4) AS year_largest
    FROM (
        SELECT
            customer_key, currency, issued_on, due_on, amount_minor,
            kind = 'invoice' AND key NOT IN (SELECT key FROM other) AS ordered,
            key IN (SELECT invoice_key FROM contested) AS contested
        FROM invoice
        WHERE
            customer_key > ?1 AND customer_key <= ?2 AND +issued_on > ?6 AND +issued_on <= ?3
            AND kind NOT IN ('credit-note', 'interest-note') AND amount_minor > 0
    )
    GROUP BY customer_key, currency
),
-- Each whole, with what is left of it.
whole AS MATERIALIZED (
    SELECT i.customer_key, i.currency, i.issued_on, sum(i.amount_minor - coalesce(t.minor, 0)) AS minor
    FROM other AS n
    CROSS JOIN invoice AS i ON i.key = n.key
    LEFT JOIN taken AS t ON t.key = n.key
    WHERE i.issued_on > ?6 AND i.issued_on <= ?3 AND i.kind = 'invoice' AND i.amount_minor > 0
    GROUP BY n.whole_key
    HAVING sum(i.amount_minor - coalesce(t.minor, 0)) > 0
),
wholes AS MATERIALIZED (
    SELECT
        customer_key, currency,
        max(minor) FILTER (WHERE issued_on > ?5) AS largest,
        count(*) FILTER (WHERE issued_on <= ?5) AS before,
        total(minor) FILTER (WHERE issued_on <= ?5) AS before_minor,
        count(*) FILTER (WHERE issued_on > ?4) AS year,
        total(minor) FILTER (WHERE issued_on > ?4) AS year_minor,
        max(minor) FILTER (WHERE issued_on > ?4) AS year_largest
    FROM whole
    GROUP BY customer_key, currency
),
-- Such an invoice or its instalments are items of its currency: whoever has the one has the other.
total AS MATERIALIZED (
    SELECT
        s.customer_key, s.currency, s.items, s.minor, s.by_days, s.contested,
        max(coalesce(s.largest, w.largest), coalesce(w.largest, s.largest)) AS largest,
        s.before + coalesce(w.before, 0) AS before, s.before_minor + coalesce(w.before_minor, 0) AS before_minor,
        s.year + coalesce(w.year, 0) AS year, s.year_minor + coalesce(w.year_minor, 0) AS year_minor,
        max(coalesce(s.year_largest, 0), coalesce(w.year_largest, 0)) AS year_largest
    FROM single AS s
    LEFT JOIN wholes AS w ON w.customer_key = s.customer_key AND w.currency = s.currency
),
-- At least twice the mean of the year, of three invoices or more. Few have one, and only of those the day is looked up.
large AS (
    SELECT customer_key, max(large_on) AS large_on
    FROM (
        SELECT t.customer_key, i.issued_on AS large_on
        FROM total AS t
        CROSS JOIN invoice AS i ON i.customer_key = t.customer_key AND i.currency = t.currency
        WHERE
            t.year >= 3 AND t.year_largest * 1.0 * t.year >= 2 * t.year_minor
            AND +i.issued_on > ?4 AND +i.issued_on <= ?3 AND i.kind = 'invoice'
            AND i.amount_minor * 1.0 * t.year >= 2 * t.year_minor AND i.amount_minor > 0
            AND i.key NOT IN (SELECT key FROM other)
        UNION ALL
        SELECT t.customer_key, w.issued_on
        FROM whole AS w
        CROSS JOIN total AS t ON t.customer_key = w.customer_key AND t.currency = w.currency
        WHERE w.issued_on > ?4 AND t.year >= 3 AND w.minor * 1.0 * t.year >= 2 * t.year_minor
    )
    GROUP BY customer_key
),
-- Of what was issued before that day and still unpaid at its end, given up or not.
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
                            AND (
                                a.adjustment_key IS NULL
                                OR a.adjustment_key NOT IN (
                                    SELECT w.key FROM adjustment AS w
                                    WHERE w.customer_key = l.customer_key AND w.difference = 'write-off'
                                )
                            )
                            AND NOT (
                                coalesce(a.difference = 'full-settlement', 0)
                                AND i.due_on < (SELECT p.received_on FROM payment AS p WHERE p.key = a.difference_key)
                            )
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
