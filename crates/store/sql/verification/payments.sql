-- Gives [broken, ids] for payments that are not the sum of where they went.
WITH
used AS (
    SELECT payment_key AS key, sum(amount_minor) AS minor
    FROM allocation
    WHERE payment_key IS NOT NULL
    GROUP BY payment_key
),
broken AS (
    SELECT p.id, row_number() OVER (ORDER BY p.id) AS place
    FROM payment AS p NOT INDEXED LEFT JOIN used AS u ON u.key = p.key
    WHERE p.unallocated_minor + p.converted_minor + coalesce(u.minor, 0) <> p.amount_minor
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
