-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: 12 months before it; ?5 to ?8: the days that 3,
-- 6, 12 and 24 months before it lie from it, below zero; ?9: tolerances by currency, 100 of those not named.
-- Gives, of each customer and currency, [customer_key, currency, [items due in 3, 6, 12 and 24 months, and those due in 3
-- of which parts are in the 9 before], [the amounts of their parts], [the amounts by days late], [items due in 12 months later than 0, 10, 30, 60 and 90 days], [the amounts
-- of parts that were], [items, amount, amount by days from issue and early amount of the money of 12 months], [the most
-- days late in 12 months, the most in 24 with its day, both if anything was late], [sums of x, y, xx, xy and yy of items
-- due in 12 months], [items with their first money in 12 months, short pays, discounts not due], [of each item that was
-- settled in 24 months the day of its last money and its due date], [the due dates of items unpaid and overdue]]. Due in
-- so many months is also what was due before that and had its last money in them, and whatever is unpaid and overdue on
-- the day. Days are counted from the day asked for; two in one number are the one times a million plus the other.
-- Sums of amounts are added up as floats on purpose: two absurd amounts must not stop the sweep of all others, and below
-- 2^53 they are exact. As whole numbers they are quicker to write.
-- A write-off pays nothing, nor does what was settled of a debt that was overdue: what stands of it on the day is unpaid as
-- if nobody had given it up.
WITH
-- Claims of which anything was ever taken back: few, and the only ones whose rows are not what they say.
odd AS MATERIALIZED (
    SELECT DISTINCT customer_key, invoice_key
    FROM allocation
    WHERE customer_key > ?1 AND customer_key <= ?2 AND amount_minor < 0 AND invoice_key IS NOT NULL
),
net AS (
    SELECT a.invoice_key, a.payment_key, a.allocated_on, sum(a.amount_minor) AS minor
    FROM odd
    CROSS JOIN allocation AS a ON a.customer_key = odd.customer_key AND a.invoice_key = odd.invoice_key
    WHERE a.payment_key IS NOT NULL AND a.allocated_on <= ?3
    GROUP BY a.invoice_key, a.payment_key, a.allocated_on
),
-- What came last was taken back: what stands of the first days is the least that stood on any day since.
stood AS (
    SELECT net.*, sum(minor) OVER (PARTITION BY invoice_key, payment_key ORDER BY allocated_on) AS minor_then
    FROM net
),
stays AS (
    SELECT
        stood.*,
        min(minor_then) OVER (
            PARTITION BY invoice_key, payment_key ORDER BY allocated_on
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS minor_since
    FROM stood
),
kept AS (
    SELECT
        invoice_key, allocated_on,
        minor_since
        - lag(minor_since, 1, 0) OVER (PARTITION BY invoice_key, payment_key ORDER BY allocated_on) AS minor
    FROM stays
),
remaining AS (
    SELECT
        invoice_key, allocated_on, sum(minor) AS minor,
        max(allocated_on) OVER (PARTITION BY invoice_key) AS last_on,
        row_number() OVER (PARTITION BY invoice_key ORDER BY allocated_on DESC) = 1 AS is_last,
        row_number() OVER (PARTITION BY invoice_key ORDER BY allocated_on) = 1 AS is_first,
        row_number() OVER (PARTITION BY invoice_key, allocated_on > ?4 ORDER BY allocated_on) = 1 AS is_received
    FROM kept
    WHERE minor > 0
    GROUP BY invoice_key, allocated_on
),
-- What was given up of each claim: written off, or settled with money that came after the due date.
given_up AS MATERIALIZED (
    SELECT a.key, a.invoice_key, a.amount_minor AS minor
    FROM adjustment AS w
    CROSS JOIN allocation AS a ON a.adjustment_key = w.key
    WHERE
        w.customer_key > ?1 AND w.customer_key <= ?2 AND w.difference = 'write-off' AND +a.allocated_on <= ?3
        AND a.invoice_key IS NOT NULL
    UNION ALL
    SELECT a.key, a.invoice_key, a.amount_minor
    FROM allocation AS a
    CROSS JOIN payment AS p ON p.key = a.difference_key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE
        a.customer_key > ?1 AND a.customer_key <= ?2 AND a.difference = 'full-settlement'
        AND +a.allocated_on <= ?3 AND p.received_on > i.due_on
),
-- What was unpaid of each claim: what is open, what was set against it later, if anything was, and what was given up.
unpaid AS MATERIALIZED (
    SELECT invoice_key, sum(minor) AS minor
    FROM (
        SELECT key AS invoice_key, open_minor AS minor
        FROM invoice
        WHERE customer_key > ?1 AND customer_key <= ?2 AND open_minor > 0 AND +issued_on <= ?3
        UNION ALL
        SELECT invoice_key, amount_minor
        FROM allocation
        WHERE
            customer_key > ?1 AND customer_key <= ?2 AND allocated_on > ?3 AND invoice_key IS NOT NULL
            AND EXISTS (SELECT 1 FROM allocation WHERE allocated_on > ?3)
        UNION ALL
        SELECT invoice_key, minor FROM given_up
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
-- What is unpaid of items and somebody would be reminded of, were it not given up: not what is contested, and not a rest
-- below the tolerance.
chased AS MATERIALIZED (
    SELECT
        o.invoice_key, i.customer_key, i.currency, i.due_on, o.minor - coalesce(c.minor, 0) AS minor
    FROM unpaid AS o
    CROSS JOIN invoice AS i ON i.key = o.invoice_key
    LEFT JOIN contested AS c ON c.invoice_key = o.invoice_key
    WHERE
        i.kind NOT IN ('credit-note', 'interest-note') AND i.issued_on <= ?3
        AND o.minor - coalesce(c.minor, 0) >= coalesce(?9 ->> i.currency, 100)
),
instalment AS MATERIALIZED (
    SELECT key FROM invoice WHERE customer_key > ?1 AND customer_key <= ?2 AND parent_key IS NOT NULL
),
-- Money that paid, and its place among what was set against its claim: 1 where nothing to be chased is unpaid on the day,
-- and 2, 4 and 8 more for the last money, the first, and the first of 12 months. A row that is all that was ever set
-- against a claim is all three; of others it is looked up, and the day of the last money where that tells of a window.
paid AS (
    SELECT
        i.customer_key, i.currency, i.key, julianday(i.due_on) - julianday(?3) AS due, julianday(i.issued_on) AS issued,
        julianday(a.allocated_on) AS came, a.allocated_on > ?4 AS within, a.allocated_on, i.amount_minor,
        a.amount_minor AS minor,
        CASE
            WHEN a.amount_minor = i.amount_minor - i.open_minor THEN 14 + (i.open_minor = 0 OR i.key NOT IN (SELECT invoice_key FROM chased))
            ELSE
                (i.key NOT IN (SELECT invoice_key FROM chased))
                + 2 * (NOT EXISTS (
                    SELECT 1 FROM allocation AS b
                    WHERE
                        b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                        AND b.allocated_on >= a.allocated_on AND b.allocated_on <= ?3
                        AND (b.allocated_on > a.allocated_on OR b.key > a.key)
                ))
                + 4 * (NOT EXISTS (
                    SELECT 1 FROM allocation AS b
                    WHERE
                        b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                        AND b.allocated_on <= a.allocated_on AND (b.allocated_on < a.allocated_on OR b.key < a.key)
                ))
                + 8 * (NOT EXISTS (
                    SELECT 1 FROM allocation AS b
                    WHERE
                        b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                        AND b.allocated_on > ?4 AND b.allocated_on <= a.allocated_on
                        AND (b.allocated_on < a.allocated_on OR b.key < a.key)
                ))
        END AS place,
        CASE
            WHEN
                a.amount_minor = i.amount_minor - i.open_minor OR julianday(i.due_on) - julianday(?3) > ?5
                THEN a.allocated_on
            ELSE (
                SELECT max(b.allocated_on) FROM allocation AS b
                WHERE
                    b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                    AND b.allocated_on <= ?3
            )
        END AS last_on
    FROM invoice AS i
    CROSS JOIN allocation AS a ON a.customer_key = i.customer_key AND a.invoice_key = i.key
    WHERE
        i.customer_key > ?1 AND i.customer_key <= ?2 AND i.kind NOT IN ('credit-note', 'interest-note')
        AND a.allocated_on <= ?3 AND a.payment_key IS NOT NULL AND i.key NOT IN (SELECT invoice_key FROM odd)
    UNION ALL
    SELECT
        i.customer_key, i.currency, i.key, julianday(i.due_on) - julianday(?3), julianday(i.issued_on),
        julianday(r.allocated_on), r.allocated_on > ?4, r.allocated_on, i.amount_minor, r.minor,
        (i.key NOT IN (SELECT invoice_key FROM chased)) + 2 * r.is_last + 4 * r.is_first + 8 * r.is_received,
        r.last_on
    FROM remaining AS r
    CROSS JOIN invoice AS i ON i.key = r.invoice_key
    WHERE i.kind NOT IN ('credit-note', 'interest-note')
),
-- Parts, in days from the day: the due date, how late, and for money of 12 months from issue. A part is in the windows
-- that its `part_on` is in: when it was due or came, whichever is later, and the day for what is unpaid and overdue. An
-- item is in those of its latest part, its `place_on`. `begins` is 1 for an item with its first money in 12 months, 2 if that was short,
-- and 3 if it was so by a discount that was not due.
part AS (
    SELECT
        customer_key, currency, key, CAST(due AS INTEGER) AS due,
        CASE
            WHEN due >= 0 THEN CAST(due AS INTEGER)
            WHEN place & 1 = 0 THEN 0
            ELSE CAST(max(due, julianday(last_on) - julianday(?3)) AS INTEGER)
        END AS place_on,
        CAST(iif(due >= 0, due, max(due, came - julianday(?3))) AS INTEGER) AS part_on,
        place & 2 AND (due = 0 OR place & 1 AND due < 0) AS is_last,
        CAST(came - julianday(?3) - due AS INTEGER) AS late, minor,
        CASE WHEN within THEN CAST(came - issued AS INTEGER) END AS since,
        within AND place & 8 AS received,
        CASE WHEN place & 3 = 3 THEN CAST(came - julianday(?3) AS INTEGER) END AS settled,
        CASE
            WHEN NOT within OR place & 4 = 0 OR key IN instalment THEN 0
            WHEN minor = amount_minor THEN 1
            ELSE (
                SELECT
                    CASE
                        WHEN
                            rest_minor <= 0 OR EXISTS (
                                SELECT 1 FROM allocation AS a
                                CROSS JOIN payment AS p ON p.key = a.payment_key
                                WHERE
                                    a.customer_key = paid.customer_key AND a.invoice_key = paid.key
                                    AND a.allocated_on = paid.allocated_on AND p.designation IS NOT NULL
                                GROUP BY p.key
                                HAVING sum(a.amount_minor) > 0
                            )
                            THEN 1
                        WHEN rest_minor * 20 > paid.amount_minor OR discount_minor > 0 THEN 2
                        ELSE 3
                    END
                FROM (
                    SELECT
                        paid.amount_minor
                        - total(a.amount_minor) FILTER (
                            WHERE a.payment_key IS NOT NULL OR a.key NOT IN (SELECT key FROM given_up)
                        ) AS rest_minor,
                        total(a.amount_minor) FILTER (WHERE a.difference = 'early-payment-discount') AS discount_minor
                    FROM allocation AS a
                    WHERE
                        a.customer_key = paid.customer_key AND a.invoice_key = paid.key
                        AND a.allocated_on <= paid.allocated_on
                )
            )
        END AS begins,
        NULL AS overdue
    FROM paid
    UNION ALL
    SELECT
        customer_key, currency, NULL, CAST(julianday(due_on) - julianday(?3) AS INTEGER),
        0, 0, 1, CAST(julianday(?3) - julianday(due_on) AS INTEGER), minor, NULL, 0, NULL, 0,
        CAST(julianday(due_on) - julianday(?3) AS INTEGER)
    FROM chased
    WHERE due_on < ?3
),
-- What windows ask for, once: `part_on` and `by_days` are null of a part that is due later.
weighed AS (
    SELECT
        customer_key, currency, CASE WHEN due <= 0 THEN part_on END AS part_on,
        CASE WHEN is_last THEN place_on END AS item,
        CASE WHEN place_on > ?5 AND part_on <= ?5 AND part_on > ?7 AND due <= 0 THEN key END AS begun, late, minor,
        CASE WHEN due <= 0 THEN minor * 1.0 * late END AS by_days, since, received, begins,
        CASE WHEN is_last AND place_on > ?7 THEN due END AS year_item,
        CASE WHEN is_last AND place_on > ?7 THEN late END AS year_late,
        CASE WHEN due <= 0 AND part_on > ?7 THEN late END AS year_part,
        CASE WHEN is_last AND place_on > ?8 AND late > 0 THEN late * 1000000 + due + late END AS worst,
        CASE WHEN settled > ?8 THEN settled * 1000000 + due END AS settled, overdue
    FROM part
    LIMIT -1
)
-- The rows are JSON already: put together as texts they are not read once more.
SELECT '[' || coalesce(group_concat(row), '') || ']'
FROM (
    SELECT
        json_array(
            customer_key, currency,
            json_array(
                count(*) FILTER (WHERE item > ?5), count(*) FILTER (WHERE item > ?6), count(year_item),
                count(*) FILTER (WHERE item > ?8), count(DISTINCT begun) FILTER (WHERE begun IS NOT NULL)
            ),
            json_array(
                CAST(total(minor) FILTER (WHERE part_on > ?5) AS INTEGER),
                CAST(total(minor) FILTER (WHERE part_on > ?6) AS INTEGER),
                CAST(total(minor) FILTER (WHERE part_on > ?7) AS INTEGER),
                CAST(total(minor) FILTER (WHERE part_on > ?8) AS INTEGER)
            ),
            json_array(
                CAST(total(by_days) FILTER (WHERE part_on > ?5) AS INTEGER),
                CAST(total(by_days) FILTER (WHERE part_on > ?6) AS INTEGER),
                CAST(total(by_days) FILTER (WHERE part_on > ?7) AS INTEGER),
                CAST(total(by_days) FILTER (WHERE part_on > ?8) AS INTEGER)
            ),
            json_array(
                count(*) FILTER (WHERE year_late > 0), count(*) FILTER (WHERE year_late > 10),
                count(*) FILTER (WHERE year_late > 30), count(*) FILTER (WHERE year_late > 60),
                count(*) FILTER (WHERE year_late > 90)
            ),
            json_array(
                CAST(total(minor) FILTER (WHERE year_part > 0) AS INTEGER),
                CAST(total(minor) FILTER (WHERE year_part > 10) AS INTEGER),
                CAST(total(minor) FILTER (WHERE year_part > 30) AS INTEGER),
                CAST(total(minor) FILTER (WHERE year_part > 60) AS INTEGER),
                CAST(total(minor) FILTER (WHERE year_part > 90) AS INTEGER)
            ),
            json_array(
                count(*) FILTER (WHERE received), CAST(total(minor) FILTER (WHERE since IS NOT NULL) AS INTEGER),
                CAST(total(minor * 1.0 * since) AS INTEGER),
                CAST(total(minor) FILTER (WHERE since IS NOT NULL AND late < 0) AS INTEGER)
            ),
            json_array(
                max(year_late) FILTER (WHERE year_late > 0),
                max(worst)
            ),
            json_array(
                CAST(total(year_item) AS INTEGER), CAST(total(year_late) AS INTEGER),
                CAST(total(year_item * year_item) AS INTEGER), CAST(total(year_item * year_late) AS INTEGER),
                CAST(total(year_late * year_late) AS INTEGER)
            ),
            json_array(
                count(*) FILTER (WHERE begins > 0), count(*) FILTER (WHERE begins > 1),
                count(*) FILTER (WHERE begins > 2)
            ),
            json_group_array(settled) FILTER (WHERE settled IS NOT NULL),
            json_group_array(overdue) FILTER (WHERE overdue IS NOT NULL)
        ) AS row
    FROM weighed
    GROUP BY customer_key, currency
)
