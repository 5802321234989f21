-- As ageing/by_day.sql, with the date of issue in place of the due date. Gives [issued_on, currency, kind, open].
-- Sums of the whole book are added up in two halves: no amounts, however large, can overflow. What no number holds
-- is told as the largest there is.
WITH
-- What was allocated after the day was still open on it, on both sides.
later AS (
    SELECT i.issued_on, i.currency, i.kind, a.amount_minor AS minor
    FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.allocated_on > ?1 AND i.issued_on <= ?1
    UNION ALL
    SELECT i.issued_on, i.currency, i.kind, a.amount_minor
    FROM allocation AS a CROSS JOIN invoice AS i ON i.key = a.credit_key
    WHERE a.allocated_on > ?1 AND i.issued_on <= ?1
),
day AS (
    SELECT
        issued_on, currency, kind,
        CAST(sum(open_minor / 1000000000) * 1000000000 + sum(open_minor % 1000000000) AS INTEGER) AS minor
    FROM invoice
    WHERE open_minor > 0 AND issued_on <= ?1
    GROUP BY issued_on, currency, kind
    UNION ALL
    SELECT issued_on, currency, kind, CAST(sum(minor / 1000000000) * 1000000000 + sum(minor % 1000000000) AS INTEGER)
    FROM later
    GROUP BY issued_on, currency, kind
)
SELECT json_group_array(json_array(issued_on, currency, kind, minor)) FROM day
