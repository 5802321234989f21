-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: 12 months before it; ?5 to ?8: the days that 3,
-- 6, 12 and 24 months before it lie from it, below zero.
-- Gives, of each customer and currency, [customer_key, currency, [items due in 3, 6, 12 and 24 months], [the amounts of
-- their parts], [the amounts by days late], [items due in 12 months later than 0, 10, 30, 60 and 90 days], [the amounts
-- of parts that were], [items, amount, amount by days from issue and early amount of the money of 12 months], [the most
-- days late in 12 months, the most in 24 with its day, both if anything was late], [sums of x, y, xx, xy and yy of items
-- due in 12 months], [items with their first money in 12 months, short pays, discounts not due], [of each item that was
-- settled in 24 months the day of its last money and its due date]]. Days are counted from the day asked for; two in one
-- number are the one times a million plus the other.
-- Sums of amounts are added up as floats on purpose: two absurd amounts must not stop the sweep of all others, and below
-- 2^53 they are exact. As whole numbers they are quicker to write.
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
        row_number() OVER (PARTITION BY invoice_key ORDER BY allocated_on DESC) = 1 AS is_last,
        row_number() OVER (PARTITION BY invoice_key ORDER BY allocated_on) = 1 AS is_first,
        row_number() OVER (PARTITION BY invoice_key, allocated_on > ?4 ORDER BY allocated_on) = 1 AS is_received
    FROM kept
    WHERE minor > 0
    GROUP BY invoice_key, allocated_on
),
-- What was open of each claim: what is, and what was set against it later, if anything was.
open AS MATERIALIZED (
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
    )
    GROUP BY invoice_key
    HAVING sum(minor) > 0
),
instalment AS MATERIALIZED (
    SELECT key FROM invoice WHERE customer_key > ?1 AND customer_key <= ?2 AND parent_key IS NOT NULL
),
-- Money that paid, with whether it was the last, the first, and the first of 12 months for its claim. A row that is all
-- that was ever set against a claim is all three; of others it is looked up.
paid AS (
    SELECT
        i.customer_key, i.currency, i.key, i.due_on, i.issued_on, i.amount_minor, a.allocated_on, a.amount_minor AS minor,
        CASE
            WHEN a.amount_minor = i.amount_minor - i.open_minor THEN i.open_minor = 0
            ELSE i.key NOT IN (SELECT invoice_key FROM open)
        END AS is_settled,
        a.amount_minor = i.amount_minor - i.open_minor OR NOT EXISTS (
            SELECT 1 FROM allocation AS b
            WHERE
                b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                AND b.allocated_on >= a.allocated_on AND b.allocated_on <= ?3
                AND (b.allocated_on > a.allocated_on OR b.key > a.key)
        ) AS is_last,
        a.amount_minor = i.amount_minor - i.open_minor OR NOT EXISTS (
            SELECT 1 FROM allocation AS b
            WHERE
                b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                AND b.allocated_on <= a.allocated_on AND (b.allocated_on < a.allocated_on OR b.key < a.key)
        ) AS is_first,
        a.amount_minor = i.amount_minor - i.open_minor OR NOT EXISTS (
            SELECT 1 FROM allocation AS b
            WHERE
                b.customer_key = i.customer_key AND b.invoice_key = i.key AND b.payment_key IS NOT NULL
                AND b.allocated_on > ?4 AND b.allocated_on <= a.allocated_on
                AND (b.allocated_on < a.allocated_on OR b.key < a.key)
        ) AS is_received
    FROM invoice AS i
    CROSS JOIN allocation AS a ON a.customer_key = i.customer_key AND a.invoice_key = i.key
    WHERE
        i.customer_key > ?1 AND i.customer_key <= ?2 AND i.kind NOT IN ('credit-note', 'interest-note')
        AND a.allocated_on <= ?3 AND a.payment_key IS NOT NULL AND i.key NOT IN (SELECT invoice_key FROM odd)
    UNION ALL
    SELECT
        i.customer_key, i.currency, i.key, i.due_on, i.issued_on, i.amount_minor, r.allocated_on, r.minor,
        i.key NOT IN (SELECT invoice_key FROM open), r.is_last, r.is_first, r.is_received
    FROM remaining AS r
    CROSS JOIN invoice AS i ON i.key = r.invoice_key
    WHERE i.kind NOT IN ('credit-note', 'interest-note')
),
-- The first money of 12 months that was less than what was asked for, and what it left open at the end of its day.
begun AS (
    SELECT
        paid.*,
        CASE
            WHEN is_first AND allocated_on > ?4 AND minor < amount_minor AND key NOT IN instalment
                THEN amount_minor - (
                    SELECT sum(a.amount_minor) FROM allocation AS a
                    WHERE
                        a.customer_key = paid.customer_key AND a.invoice_key = paid.key
                        AND a.allocated_on <= paid.allocated_on
                )
        END AS rest_minor
    FROM paid
),
-- Parts, in days from the day: x the due date, y how late. Of what is due later x is no window's, and `due` is null;
-- `item` is the due date where the part is the last of its item. `begins` is 0, or 1 for an item with its first money in
-- 12 months, 2 if that was short, and 3 if it was so by a discount that was not due.
part AS (
    SELECT
        customer_key, currency, x, iif(x <= 0, x, NULL) AS due,
        iif(x <= 0 AND is_last AND (is_settled OR x = 0), x, NULL) AS item, y, minor,
        iif(is_received, since, NULL) AS first_since, since, is_last AND is_settled AND x + y > ?8 AS settled, begins
    FROM (
        SELECT
            customer_key, currency, CAST(julianday(due_on) - julianday(?3) AS INTEGER) AS x,
            CAST(julianday(allocated_on) - julianday(due_on) AS INTEGER) AS y, minor, is_last, is_settled, is_received,
            iif(allocated_on > ?4, CAST(julianday(allocated_on) - julianday(issued_on) AS INTEGER), NULL) AS since,
            iif(
                NOT is_first OR allocated_on <= ?4 OR key IN instalment,
                0,
                1 + iif(
                    rest_minor > 0 AND NOT EXISTS (
                        SELECT 1 FROM allocation AS a
                        CROSS JOIN payment AS p ON p.key = a.payment_key
                        WHERE
                            a.customer_key = begun.customer_key AND a.invoice_key = begun.key
                            AND a.allocated_on = begun.allocated_on AND p.designation IS NOT NULL
                        GROUP BY p.key
                        HAVING sum(a.amount_minor) > 0
                    ),
                    1 + (
                        rest_minor * 20 <= amount_minor AND coalesce(
                            (
                                SELECT sum(a.amount_minor) FROM allocation AS a
                                WHERE
                                    a.customer_key = begun.customer_key AND a.invoice_key = begun.key
                                    AND a.allocated_on <= begun.allocated_on
                                    AND a.difference = 'early-payment-discount'
                            ), 0
                        ) <= 0
                    ),
                    0
                )
            ) AS begins
        FROM begun
        LIMIT -1
    )
    UNION ALL
    SELECT
        i.customer_key, i.currency, CAST(julianday(i.due_on) - julianday(?3) AS INTEGER),
        CAST(julianday(i.due_on) - julianday(?3) AS INTEGER), CAST(julianday(i.due_on) - julianday(?3) AS INTEGER),
        CAST(julianday(?3) - julianday(i.due_on) AS INTEGER), o.minor, NULL, NULL, 0, 0
    FROM open AS o
    CROSS JOIN invoice AS i ON i.key = o.invoice_key
    WHERE i.kind NOT IN ('credit-note', 'interest-note') AND i.issued_on <= ?3 AND i.due_on < ?3
)
SELECT json_group_array(json(row))
FROM (
    SELECT
        json_array(
            customer_key, currency,
            json_array(
                count(*) FILTER (WHERE item > ?5), count(*) FILTER (WHERE item > ?6),
                count(*) FILTER (WHERE item > ?7), count(*) FILTER (WHERE item > ?8)
            ),
            json_array(
                CAST(total(minor) FILTER (WHERE due > ?5) AS INTEGER),
                CAST(total(minor) FILTER (WHERE due > ?6) AS INTEGER),
                CAST(total(minor) FILTER (WHERE due > ?7) AS INTEGER),
                CAST(total(minor) FILTER (WHERE due > ?8) AS INTEGER)
            ),
            json_array(
                CAST(total(minor * 1.0 * y) FILTER (WHERE due > ?5) AS INTEGER),
                CAST(total(minor * 1.0 * y) FILTER (WHERE due > ?6) AS INTEGER),
                CAST(total(minor * 1.0 * y) FILTER (WHERE due > ?7) AS INTEGER),
                CAST(total(minor * 1.0 * y) FILTER (WHERE due > ?8) AS INTEGER)
            ),
            json_array(
                count(*) FILTER (WHERE item > ?7 AND y > 0), count(*) FILTER (WHERE item > ?7 AND y > 10),
                count(*) FILTER (WHERE item > ?7 AND y > 30), count(*) FILTER (WHERE item > ?7 AND y > 60),
                count(*) FILTER (WHERE item > ?7 AND y > 90)
            ),
            json_array(
                CAST(total(minor) FILTER (WHERE y > 0 AND due > ?7) AS INTEGER),
                CAST(total(minor) FILTER (WHERE y > 10 AND due > ?7) AS INTEGER),
                CAST(total(minor) FILTER (WHERE y > 30 AND due > ?7) AS INTEGER),
                CAST(total(minor) FILTER (WHERE y > 60 AND due > ?7) AS INTEGER),
                CAST(total(minor) FILTER (WHERE y > 90 AND due > ?7) AS INTEGER)
            ),
            json_array(
                count(first_since), CAST(total(minor) FILTER (WHERE since IS NOT NULL) AS INTEGER),
                CAST(total(minor * 1.0 * since) AS INTEGER),
                CAST(total(minor) FILTER (WHERE since IS NOT NULL AND y < 0) AS INTEGER)
            ),
            json_array(
                max(y) FILTER (WHERE y > 0 AND item > ?7),
                max(y * 1000000 + x + y) FILTER (WHERE y > 0 AND item > ?8)
            ),
            json_array(
                CAST(total(item) FILTER (WHERE item > ?7) AS INTEGER), CAST(total(y) FILTER (WHERE item > ?7) AS INTEGER),
                CAST(total(item * item) FILTER (WHERE item > ?7) AS INTEGER), CAST(total(item * y) FILTER (WHERE item > ?7) AS INTEGER),
                CAST(total(y * y) FILTER (WHERE item > ?7) AS INTEGER)
            ),
            json_array(
                count(*) FILTER (WHERE begins > 0), count(*) FILTER (WHERE begins > 1),
                count(*) FILTER (WHERE begins > 2)
            ),
            json_group_array((x + y) * 1000000 + x) FILTER (WHERE settled)
        ) AS row
    FROM part
    GROUP BY customer_key, currency
)
