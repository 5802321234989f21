-- Gives 1 if every payment is the sum of where it went: one pass over the allocations and two over the payments.
WITH
used AS (
    SELECT payment_key AS key, sum(amount_minor) AS minor
    FROM allocation NOT INDEXED
    WHERE payment_key IS NOT NULL
    GROUP BY payment_key
),
-- Payments of which something was used, and those of them whose rest says the same.
told AS (
    SELECT
        count(*) AS used,
        sum(p.amount_minor - p.unallocated_minor - p.converted_minor = u.minor) AS fitting
    FROM used AS u CROSS JOIN payment AS p ON p.key = u.key
    WHERE u.minor <> 0
)
-- When there are as many as say that something was used, none of the others says so.
SELECT
    used = coalesce(fitting, 0)
    AND used = (SELECT count(*) FROM payment WHERE amount_minor - unallocated_minor - converted_minor <> 0)
FROM told
