-- Gives [broken, ids] for payments of which another sum went back than their reversals say, and credit notes of which
-- another was paid out than their refunds that stand say.
WITH
-- What went back of each payment, and how much of it fell on what was changed into other currencies.
gone AS MATERIALIZED (
    SELECT
        p.key, p.converted_minor, sum(r.minor) AS minor,
        min(max(sum(r.minor) + p.converted_minor - p.amount_minor, 0), p.converted_minor) AS changed
    FROM reversal AS r CROSS JOIN payment AS p ON p.key = r.payment_key
    WHERE r.undone_entry_key IS NULL
    GROUP BY p.key
),
-- The parts one after the other, each at its price; in proportion to all of it where that was not noted.
part AS (
    SELECT
        t.key, t.amount_minor, g.changed, coalesce(t.cost_minor, g.converted_minor) AS cost,
        iif(
            t.cost_minor IS NULL, 0,
            sum(t.cost_minor) OVER (PARTITION BY g.key ORDER BY t.key) - t.cost_minor
        ) AS before
    FROM gone AS g CROSS JOIN payment AS t ON t.converted_from_key = g.key
),
-- What of a part: so much of twice its cost as it is, rounded. Beyond whole numbers it may be one off.
share AS (
    SELECT key, cost, 2 * amount_minor * min(max(changed - before, 0), cost) + cost AS twice FROM part
),
piece AS (
    SELECT payment_key, credit_key, amount_minor AS minor, 0 AS off FROM allocation WHERE invoice_key IS NULL
    UNION ALL
    SELECT key, NULL, changed - minor, 0 FROM gone
    UNION ALL
    SELECT key, NULL, -cast(twice / (2 * cost) AS INTEGER), typeof(twice) = 'real' FROM share
    UNION ALL
    SELECT NULL, credit_key, -minor, 0 FROM credit_refund WHERE reversed_on IS NULL
),
broken AS (
    SELECT coalesce(p.id, c.id) AS id, row_number() OVER (ORDER BY coalesce(p.id, c.id)) AS place
    FROM (
        SELECT payment_key, credit_key FROM piece GROUP BY payment_key, credit_key HAVING abs(sum(minor)) > max(off)
    ) AS b
    LEFT JOIN payment AS p ON p.key = b.payment_key
    LEFT JOIN invoice AS c ON c.key = b.credit_key
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
