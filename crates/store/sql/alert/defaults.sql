-- ?1: after this customer, ?2: up to this one, ?3: from this day, ?4: to this one.
-- Gives [customer_key, day] of the first default of each customer of the range: one that was recorded and not withdrawn,
-- or the day on which an item came to be 91 days past due, whatever came first. Of who was in default before the first
-- day, that day.
WITH
late AS (
    SELECT i.customer_key, date(i.due_on, '+91 days') AS day
    FROM invoice AS i
    WHERE
        i.customer_key > ?1 AND i.customer_key <= ?2 AND i.kind NOT IN ('credit-note', 'interest-note')
        AND date(i.due_on, '+91 days') <= ?4
        AND i.amount_minor > (
            SELECT coalesce(sum(a.amount_minor), 0) FROM allocation AS a
            WHERE
                a.customer_key = i.customer_key AND a.invoice_key = i.key
                AND a.allocated_on <= date(i.due_on, '+91 days')
        )
),
failed AS (
    SELECT customer_key, day FROM late
    UNION ALL
    SELECT customer_key, found_on FROM default_record
    WHERE customer_key > ?1 AND customer_key <= ?2 AND found_on <= ?4 AND state <> 'withdrawn'
)
SELECT json_group_array(json_array(customer_key, day))
FROM (SELECT customer_key, max(min(day), ?3) AS day FROM failed GROUP BY customer_key)
