-- Gives 1 if what is open of every document is its amount less what was set against it, and of every credit note less
-- what it was set against, by its own customer and on no day before its issue; if no part of it is below zero or above
-- the whole; and if its entry is in the audit chain. Allocations are sorted by document, so that documents are read in
-- their order.
WITH
head AS MATERIALIZED (SELECT coalesce(max(key), 0) AS key FROM audit),
claimed AS (
    SELECT invoice_key AS key, customer_key, sum(amount_minor) AS minor, min(allocated_on) AS first_on
    FROM allocation NOT INDEXED
    WHERE invoice_key IS NOT NULL
    GROUP BY invoice_key, customer_key
),
credited AS (
    SELECT credit_key AS key, customer_key, sum(amount_minor) AS minor, min(allocated_on) AS first_on
    FROM allocation NOT INDEXED
    WHERE credit_key IS NOT NULL
    GROUP BY credit_key, customer_key
),
-- How many claims something was set against, all as is right: one that is wrong takes off more than there can be.
claims AS (
    SELECT
        coalesce(sum(CASE
            WHEN
                m.customer_key = i.customer_key AND i.kind <> 'credit-note'
                AND m.minor = i.amount_minor - i.open_minor AND m.minor >= 0 AND i.open_minor >= 0
                AND i.disputed_minor BETWEEN 0 AND i.amount_minor
                AND (
                    m.first_on >= i.issued_on
                    -- What was early was taken back, each piece by itself.
                    OR NOT EXISTS (
                        SELECT 1
                        FROM allocation AS a
                        WHERE
                            a.customer_key = m.customer_key AND a.invoice_key = m.key
                            AND a.allocated_on < i.issued_on
                        GROUP BY a.payment_key, a.credit_key, a.adjustment_key, a.difference_key, a.allocated_on
                        HAVING sum(a.amount_minor) <> 0
                    )
                )
                AND (i.entry_key IS NULL OR i.entry_key <= (SELECT key FROM head))
                THEN m.minor <> 0
            ELSE -1 << 40
        END), 0) AS closed
    FROM claimed AS m LEFT JOIN invoice AS i ON i.key = m.key
),
-- And how many credit notes.
credits AS (
    SELECT
        coalesce(sum(CASE
            WHEN
                m.customer_key = c.customer_key AND c.kind = 'credit-note'
                AND m.minor = c.amount_minor - c.open_minor AND m.minor >= 0 AND c.open_minor >= 0
                AND c.disputed_minor BETWEEN 0 AND c.amount_minor
                AND (
                    m.first_on >= c.issued_on
                    OR NOT EXISTS (
                        SELECT 1
                        FROM allocation AS a
                        WHERE
                            a.customer_key = m.customer_key AND a.credit_key = m.key
                            AND a.allocated_on < c.issued_on
                        GROUP BY a.invoice_key, a.allocated_on
                        HAVING sum(a.amount_minor) <> 0
                    )
                )
                AND (c.entry_key IS NULL OR c.entry_key <= (SELECT key FROM head))
                THEN m.minor <> 0
            ELSE -1 << 40
        END), 0) AS closed
    FROM credited AS m LEFT JOIN invoice AS c ON c.key = m.key
)
-- All documents that do not just say that they are open as a whole, which is right by itself, are among those.
SELECT
    claims.closed + credits.closed = (
        SELECT count(*)
        FROM invoice NOT INDEXED
        WHERE
            open_minor <> amount_minor OR open_minor < 0
            OR disputed_minor NOT BETWEEN 0 AND amount_minor
            OR entry_key > (SELECT key FROM head)
    )
FROM claims CROSS JOIN credits
