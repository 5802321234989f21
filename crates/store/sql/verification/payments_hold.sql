-- Gives 1 if every payment is what was allocated, converted and paid back of it, by its own customer and on no day
-- before it came; if no part of it is below zero; if its payer named no more than was paid; and if its entry is in the
-- audit chain. Allocations are sorted by payment, so that payments are read in their order.
WITH
head AS MATERIALIZED (SELECT coalesce(max(key), 0) AS key FROM audit),
used AS (
    SELECT payment_key AS key, customer_key, sum(amount_minor) AS minor, min(allocated_on) AS first_on
    FROM allocation NOT INDEXED
    WHERE payment_key IS NOT NULL
    GROUP BY payment_key, customer_key
),
-- How many payments something was used of, all as is right: one that is wrong takes off more than there can be.
told AS (
    SELECT
        coalesce(sum(CASE
            WHEN
                u.customer_key = p.customer_key
                AND u.minor = p.amount_minor - p.unallocated_minor - p.converted_minor
                AND u.minor >= 0 AND p.unallocated_minor >= 0 AND p.converted_minor >= 0
                AND (
                    u.first_on >= p.received_on
                    -- What was early was taken back, each piece by itself.
                    OR NOT EXISTS (
                        SELECT 1
                        FROM allocation AS a
                        WHERE
                            a.customer_key = u.customer_key AND a.payment_key = u.key
                            AND a.allocated_on < p.received_on
                        GROUP BY a.invoice_key, a.allocated_on
                        HAVING sum(a.amount_minor) <> 0
                    )
                )
                AND (
                    p.designation IS NULL
                    OR coalesce((SELECT sum(part.value ->> 1) FROM json_each(p.designation) AS part), 0)
                    <= p.amount_minor
                )
                AND (p.entry_key IS NULL OR p.entry_key <= (SELECT key FROM head))
                THEN u.minor <> 0
            ELSE -1 << 40
        END), 0) AS used
    FROM used AS u LEFT JOIN payment AS p ON p.key = u.key
)
-- All payments that do not just say that nothing was used of them, which is right by itself, are among those.
SELECT
    told.used = (
        SELECT count(*)
        FROM payment NOT INDEXED
        WHERE
            unallocated_minor <> amount_minor OR converted_minor <> 0 OR unallocated_minor < 0
            OR entry_key > (SELECT key FROM head)
            OR (
                designation IS NOT NULL
                AND (SELECT sum(part.value ->> 1) FROM json_each(designation) AS part) > amount_minor
            )
    )
FROM told
