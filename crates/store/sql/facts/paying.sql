-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4 to ?7: 3, 6, 12 and 24 months before it.
-- Gives three lists. How each customer paid in each currency: [customer_key, currency, [items due in 3, 6, 12 and 24
-- months], [the amounts of their parts], [the amounts by days late], [items due in 12 months later than 0, 10, 30, 60
-- and 90 days], [the amounts of parts that were], [items, amount, amount by days from issue and early amount of the
-- money of 12 months], [the most days late in 12 and in 24 months, the day of the latter in days from the day], [sums
-- of x, y, xx, xy and yy of items due in 12 months], items with their first money in 12 months]. Then [customer_key,
-- currency, short pays, discounts not due] of those items. And [customer_key, days late] of the last three items that
-- were settled, the latest first.
-- Sums of amounts are floats on purpose: two absurd amounts must not stop the sweep of all others, and below 2^53 they
-- are exact.
WITH
-- What each payment added to each claim on each day, net of what a replay moved.
net AS MATERIALIZED (
    SELECT customer_key, invoice_key, payment_key, allocated_on, sum(amount_minor) AS minor
    FROM allocation
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND allocated_on <= ?3
        AND payment_key IS NOT NULL AND invoice_key IS NOT NULL
    GROUP BY customer_key, invoice_key, payment_key, allocated_on
    HAVING minor <> 0
),
taken AS MATERIALIZED (
    SELECT DISTINCT invoice_key, payment_key FROM net WHERE minor < 0
),
-- Of what was taken back later, what came last was taken: what stands of the first days is the least that stood on any
-- day since.
standing AS (
    SELECT
        net.*,
        sum(minor) OVER (PARTITION BY invoice_key, payment_key ORDER BY allocated_on) AS minor_then
    FROM net
    WHERE (invoice_key, payment_key) IN (SELECT invoice_key, payment_key FROM taken)
),
stays AS (
    SELECT
        standing.*,
        min(minor_then) OVER (
            PARTITION BY invoice_key, payment_key ORDER BY allocated_on
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS minor_since
    FROM standing
),
kept AS (
    SELECT
        invoice_key, allocated_on,
        minor_since
        - lag(minor_since, 1, 0) OVER (PARTITION BY invoice_key, payment_key ORDER BY allocated_on) AS minor
    FROM stays
),
paid AS (
    SELECT invoice_key, allocated_on, minor FROM net
    WHERE (invoice_key, payment_key) NOT IN (SELECT invoice_key, payment_key FROM taken)
    UNION ALL
    SELECT invoice_key, allocated_on, minor FROM kept WHERE minor > 0
),
-- What was open of each claim: what is, and what was set against it later.
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
-- Parts paid, and what is open; `late` is null of what is open and not overdue, which is no part.
piece AS (
    SELECT
        i.customer_key, i.currency, i.key, i.id, i.parent_key, i.issued_on, i.due_on, i.amount_minor,
        p.allocated_on AS paid_on, p.minor,
        CAST(julianday(p.allocated_on) - julianday(i.due_on) AS INTEGER) AS late
    FROM paid AS p
    CROSS JOIN invoice AS i ON i.key = p.invoice_key
    WHERE i.kind NOT IN ('credit-note', 'interest-note')
    UNION ALL
    SELECT
        i.customer_key, i.currency, i.key, i.id, i.parent_key, i.issued_on, i.due_on, i.amount_minor,
        NULL, o.minor,
        CASE WHEN i.due_on < ?3 THEN CAST(julianday(?3) - julianday(i.due_on) AS INTEGER) END
    FROM open AS o
    CROSS JOIN invoice AS i ON i.key = o.invoice_key
    WHERE i.kind NOT IN ('credit-note', 'interest-note') AND i.issued_on <= ?3
),
item AS MATERIALIZED (
    SELECT
        customer_key, currency, key, id, parent_key, amount_minor,
        -- Null of an item without parts, or due later: no window has it.
        CASE WHEN due_on <= ?3 AND count(late) > 0 THEN due_on END AS due_on,
        -- The due date in days from the day, and how late the item is.
        CAST(julianday(due_on) - julianday(?3) AS INTEGER) AS x,
        max(late) AS y,
        total(minor) FILTER (WHERE late IS NOT NULL) AS weight,
        total(minor * 1.0 * late) AS weighted,
        total(minor) FILTER (WHERE late > 0) AS late_0,
        total(minor) FILTER (WHERE late > 10) AS late_10,
        total(minor) FILTER (WHERE late > 30) AS late_30,
        total(minor) FILTER (WHERE late > 60) AS late_60,
        total(minor) FILTER (WHERE late > 90) AS late_90,
        count(*) FILTER (WHERE paid_on > ?6) AS received,
        total(minor) FILTER (WHERE paid_on > ?6) AS received_minor,
        total(minor * (julianday(paid_on) - julianday(issued_on))) FILTER (WHERE paid_on > ?6) AS received_days,
        total(minor) FILTER (WHERE paid_on > ?6 AND paid_on < due_on) AS early_minor,
        min(paid_on) AS first_on,
        max(paid_on) AS last_on,
        total(minor) FILTER (WHERE paid_on IS NOT NULL) AS paid_minor,
        count(*) FILTER (WHERE paid_on IS NULL) AS is_open
    FROM piece
    GROUP BY key
),
-- Items whose first money came in 12 months and that were not paid at one go.
begun AS (
    SELECT
        f.customer_key, f.currency, f.key, f.first_on, f.amount_minor,
        f.amount_minor - (
            SELECT sum(a.amount_minor) FROM allocation AS a
            WHERE a.customer_key = f.customer_key AND a.invoice_key = f.key AND a.allocated_on <= f.first_on
        ) AS rest_minor
    FROM item AS f
    WHERE f.first_on > ?6 AND f.parent_key IS NULL AND (f.first_on < f.last_on OR f.paid_minor < f.amount_minor)
),
short AS (
    SELECT
        customer_key, currency, count(*) AS short,
        count(*) FILTER (
            WHERE rest_minor * 20 <= amount_minor AND coalesce(
                (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE
                        a.customer_key = begun.customer_key AND a.invoice_key = begun.key
                        AND a.allocated_on <= begun.first_on AND a.difference = 'early-payment-discount'
                ), 0
            ) <= 0
        ) AS unauthorised
    FROM begun
    WHERE
        rest_minor > 0 AND NOT EXISTS (
            SELECT 1 FROM allocation AS a
            CROSS JOIN payment AS p ON p.key = a.payment_key
            WHERE
                a.customer_key = begun.customer_key AND a.invoice_key = begun.key
                AND a.allocated_on = begun.first_on AND p.designation IS NOT NULL
            GROUP BY p.key
            HAVING sum(a.amount_minor) > 0
        )
    GROUP BY customer_key, currency
),
total AS (
    SELECT
        customer_key,
        currency,
        json_array(
            count(*) FILTER (WHERE due_on > ?4), count(*) FILTER (WHERE due_on > ?5),
            count(*) FILTER (WHERE due_on > ?6), count(*) FILTER (WHERE due_on > ?7)
        ) AS items,
        json_array(
            total(weight) FILTER (WHERE due_on > ?4), total(weight) FILTER (WHERE due_on > ?5),
            total(weight) FILTER (WHERE due_on > ?6), total(weight) FILTER (WHERE due_on > ?7)
        ) AS weight,
        json_array(
            total(weighted) FILTER (WHERE due_on > ?4), total(weighted) FILTER (WHERE due_on > ?5),
            total(weighted) FILTER (WHERE due_on > ?6), total(weighted) FILTER (WHERE due_on > ?7)
        ) AS weighted,
        json_array(
            count(*) FILTER (WHERE due_on > ?6 AND y > 0), count(*) FILTER (WHERE due_on > ?6 AND y > 10),
            count(*) FILTER (WHERE due_on > ?6 AND y > 30), count(*) FILTER (WHERE due_on > ?6 AND y > 60),
            count(*) FILTER (WHERE due_on > ?6 AND y > 90)
        ) AS late_items,
        json_array(
            total(late_0) FILTER (WHERE due_on > ?6), total(late_10) FILTER (WHERE due_on > ?6),
            total(late_30) FILTER (WHERE due_on > ?6), total(late_60) FILTER (WHERE due_on > ?6),
            total(late_90) FILTER (WHERE due_on > ?6)
        ) AS late_minor,
        json_array(
            count(*) FILTER (WHERE received > 0), total(received_minor), total(received_days), total(early_minor)
        ) AS received,
        max(y) FILTER (WHERE due_on > ?6) AS worst_12,
        -- Days late and the day on which they were reached in one number, so that of equal ones the latest is found.
        max((y + 100000) * 200000 + x + y + 100000) FILTER (WHERE due_on > ?7) AS worst_24,
        json_array(
            total(x) FILTER (WHERE due_on > ?6), total(y) FILTER (WHERE due_on > ?6),
            total(x * x) FILTER (WHERE due_on > ?6), total(x * y) FILTER (WHERE due_on > ?6),
            total(y * y) FILTER (WHERE due_on > ?6)
        ) AS line,
        count(*) FILTER (WHERE first_on > ?6 AND parent_key IS NULL) AS first
    FROM item
    GROUP BY customer_key, currency
),
settled AS (
    SELECT
        customer_key,
        y AS days,
        row_number() OVER (PARTITION BY customer_key ORDER BY last_on DESC, id DESC) AS place
    FROM item
    WHERE is_open = 0 AND last_on > ?7
)
SELECT
    json_array(
        (
            SELECT
                json_group_array(
                    json_array(
                        customer_key, currency, json(items), json(weight), json(weighted), json(late_items),
                        json(late_minor), json(received),
                        json_array(worst_12, worst_24 / 200000 - 100000, worst_24 % 200000 - 100000), json(line), first
                    )
                )
            FROM total
        ),
        (SELECT json_group_array(json_array(customer_key, currency, short, unauthorised)) FROM short),
        (
            SELECT json_group_array(json_array(customer_key, days))
            FROM (SELECT * FROM settled WHERE place <= 3 ORDER BY customer_key, place)
        )
    )
