-- ?1: the first day, ?2: the second, not before it.
-- Gives [grade before, grade, customers, those of another model, [[currency, owed before, owed]]] for each pair of grades that anybody has. A
-- customer has none from the day on which it was merged into another.
WITH
-- The columns beside max() are those of its row.
before AS (
    SELECT customer_key, grade, model, max(as_of) AS as_of FROM score_change WHERE as_of <= ?1 GROUP BY customer_key
),
now AS (
    SELECT customer_key, grade, model, max(as_of) AS as_of FROM score_change WHERE as_of <= ?2 GROUP BY customer_key
),
moved AS MATERIALIZED (
    SELECT
        n.customer_key,
        iif(c.merged_key IS NULL OR c.merged_on IS NULL OR c.merged_on > ?1, b.grade, NULL) AS grade_before,
        iif(c.merged_key IS NULL OR c.merged_on > ?2, n.grade, NULL) AS grade,
        b.model IS NOT NULL AND b.model <> n.model AS remodelled
    FROM now AS n
    CROSS JOIN customer AS c ON c.key = n.customer_key
    LEFT JOIN before AS b ON b.customer_key = n.customer_key
),
counted AS (
    SELECT
        grade_before, grade, count(*) AS customers,
        count(*) FILTER (WHERE remodelled AND grade_before IS NOT NULL AND grade IS NOT NULL) AS remodelled
    FROM moved
    WHERE grade_before IS NOT NULL OR grade IS NOT NULL
    GROUP BY grade_before, grade
),
piece AS (
    SELECT
        customer_key, currency,
        CASE WHEN issued_on <= ?1 THEN open_minor ELSE 0 END AS before_minor,
        CASE WHEN issued_on <= ?2 THEN open_minor ELSE 0 END AS minor
    FROM invoice
    WHERE open_minor > 0 AND kind <> 'credit-note'
    UNION ALL
    SELECT
        i.customer_key, i.currency,
        CASE WHEN a.allocated_on > ?1 AND i.issued_on <= ?1 THEN a.amount_minor ELSE 0 END,
        CASE WHEN a.allocated_on > ?2 AND i.issued_on <= ?2 THEN a.amount_minor ELSE 0 END
    FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.allocated_on > ?1
),
owed AS MATERIALIZED (
    -- In two halves, as the sums of the book: no amounts can overflow.
    SELECT
        m.grade_before, m.grade, p.currency,
        CAST(sum(p.before_minor / 1000000000) * 1000000000 + sum(p.before_minor % 1000000000) AS INTEGER)
            AS before_minor,
        CAST(sum(p.minor / 1000000000) * 1000000000 + sum(p.minor % 1000000000) AS INTEGER) AS minor
    FROM piece AS p CROSS JOIN moved AS m ON m.customer_key = p.customer_key
    GROUP BY m.grade_before, m.grade, p.currency
    HAVING total(p.before_minor) <> 0 OR total(p.minor) <> 0
)
SELECT json_group_array(json_array(grade_before, grade, customers, remodelled, json(owed)))
FROM (
    SELECT
        k.grade_before, k.grade, k.customers, k.remodelled,
        (
            SELECT json_group_array(json_array(o.currency, o.before_minor, o.minor) ORDER BY o.currency)
            FROM owed AS o
            WHERE o.grade_before IS k.grade_before AND o.grade IS k.grade
        ) AS owed
    FROM counted AS k
    ORDER BY k.grade_before IS NULL, k.grade_before, k.grade IS NULL, k.grade
)
