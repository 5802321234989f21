-- ?1: after this customer, ?2: up to this one, ?3: from this day, ?4: to this one, ?5: tolerances by currency, 100 of those
-- not named.
-- Gives [customer_key, day] of the first default of each customer of the range, whatever came first: one that was recorded
-- and not withdrawn; the day on which an item was 91 days past due or more and so much of it open and not contested as
-- somebody would be reminded of; or the day of a write-off of as much that stands. Of who was in default before the first
-- day, that day.
WITH
item AS MATERIALIZED (
    SELECT key, customer_key, amount_minor, date(due_on, '+91 days') AS day, coalesce(?5 ->> currency, 100) AS tolerance
    FROM invoice
    WHERE customer_key > ?1 AND customer_key <= ?2 AND kind NOT IN ('credit-note', 'interest-note')
),
-- From when on it may be so: from the 91st day, or later when a dispute ended or what was paid went back.
moment AS (
    SELECT key AS item_key, day FROM item
    UNION
    SELECT i.key, d.resolved_on
    FROM dispute AS d CROSS JOIN item AS i ON i.key = d.invoice_key
    WHERE d.customer_key > ?1 AND d.customer_key <= ?2 AND d.resolved_on > i.day
    UNION
    SELECT i.key, a.allocated_on
    FROM allocation AS a CROSS JOIN item AS i ON i.key = a.invoice_key
    WHERE a.customer_key > ?1 AND a.customer_key <= ?2 AND a.amount_minor < 0 AND a.allocated_on > i.day
),
failed AS (
    SELECT i.customer_key, m.day
    FROM moment AS m CROSS JOIN item AS i ON i.key = m.item_key
    WHERE
        m.day <= ?4
        AND i.amount_minor - (
            SELECT coalesce(sum(a.amount_minor), 0) FROM allocation AS a
            WHERE a.customer_key = i.customer_key AND a.invoice_key = i.key AND a.allocated_on <= m.day
        ) - (
            SELECT coalesce(sum(d.minor), 0) FROM dispute AS d
            WHERE
                d.invoice_key = i.key AND d.opened_on <= m.day AND (d.resolved_on IS NULL OR d.resolved_on > m.day)
        ) >= i.tolerance
    UNION ALL
    SELECT i.customer_key, j.booked_on
    FROM adjustment AS j CROSS JOIN item AS i ON i.key = j.invoice_key
    WHERE
        j.customer_key > ?1 AND j.customer_key <= ?2 AND j.difference = 'write-off' AND j.booked_on <= ?4
        AND j.until_on IS NULL AND j.minor >= i.tolerance
    UNION ALL
    SELECT customer_key, found_on FROM default_record
    WHERE customer_key > ?1 AND customer_key <= ?2 AND found_on <= ?4 AND state <> 'withdrawn'
)
SELECT json_group_array(json_array(customer_key, day))
FROM (SELECT customer_key, max(min(day), ?3) AS day FROM failed GROUP BY customer_key)
