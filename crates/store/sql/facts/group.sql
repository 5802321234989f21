-- ?1: after this customer, ?2: up to this one, ?3: the day.
-- Gives [customer_key, currency, outstanding, overdue, unpaid, overdue of that] of the group of the day of each customer
-- that is in one and of whose group anything is unpaid on it, and [customer_key, null, 0, 0, 0, 0] where nothing is and any
-- of it had an item by then. What is unpaid is what is outstanding, what stands of write-offs, and what was settled
-- with money that came after the due date.
WITH
-- Whose record was replaced since the day is in the group that the first of its former ones names.
placed AS MATERIALIZED (
    SELECT c.key AS customer_key, iif(f.key IS NULL, c.parent_key, f.parent_key) AS parent_key
    FROM customer AS c
    LEFT JOIN customer_former AS f ON f.key = (
        SELECT min(e.key) FROM customer_former AS e WHERE e.customer_key = c.key AND e.until_on > ?3
    )
    WHERE c.key > ?1 AND c.key <= ?2
),
member AS MATERIALIZED (
    SELECT p.customer_key, coalesce(p.parent_key, p.customer_key) AS head_key
    FROM placed AS p
    WHERE
        p.parent_key IS NOT NULL
        OR EXISTS (
            SELECT 1 FROM customer AS o
            WHERE
                o.parent_key = p.customer_key
                AND NOT EXISTS (SELECT 1 FROM customer_former AS e WHERE e.customer_key = o.key AND e.until_on > ?3)
        )
        OR EXISTS (
            SELECT 1 FROM customer_former AS f
            WHERE
                f.parent_key = p.customer_key AND f.until_on > ?3
                AND f.key = (
                    SELECT min(e.key) FROM customer_former AS e
                    WHERE e.customer_key = f.customer_key AND e.until_on > ?3
                )
        )
),
everybody AS MATERIALIZED (
    SELECT head_key, head_key AS customer_key FROM member
    UNION
    SELECT m.head_key, c.key
    FROM member AS m
    CROSS JOIN customer AS c ON c.parent_key = m.head_key
    WHERE NOT EXISTS (SELECT 1 FROM customer_former AS e WHERE e.customer_key = c.key AND e.until_on > ?3)
    UNION
    SELECT m.head_key, f.customer_key
    FROM member AS m
    CROSS JOIN customer_former AS f ON f.parent_key = m.head_key AND f.until_on > ?3
    WHERE
        f.key = (
            SELECT min(e.key) FROM customer_former AS e WHERE e.customer_key = f.customer_key AND e.until_on > ?3
        )
),
open AS (
    SELECT e.head_key, i.currency, i.due_on, i.open_minor AS minor, 1 AS owed
    FROM everybody AS e
    CROSS JOIN invoice AS i ON i.customer_key = e.customer_key
    WHERE i.kind <> 'credit-note' AND i.issued_on <= ?3 AND +i.open_minor > 0
    UNION ALL
    SELECT e.head_key, i.currency, i.due_on, a.amount_minor, 1
    FROM everybody AS e
    CROSS JOIN allocation AS a ON a.customer_key = e.customer_key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.allocated_on > ?3 AND i.issued_on <= ?3
    UNION ALL
    SELECT e.head_key, i.currency, i.due_on, a.amount_minor, 0
    FROM everybody AS e
    CROSS JOIN adjustment AS w ON w.customer_key = e.customer_key AND w.difference = 'write-off'
    CROSS JOIN allocation AS a ON a.adjustment_key = w.key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE +a.allocated_on <= ?3
    UNION ALL
    SELECT e.head_key, i.currency, i.due_on, a.amount_minor, 0
    FROM everybody AS e
    CROSS JOIN allocation AS a ON a.customer_key = e.customer_key AND a.difference = 'full-settlement'
    CROSS JOIN payment AS p ON p.key = a.difference_key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE +a.allocated_on <= ?3 AND p.received_on > i.due_on
),
owed AS MATERIALIZED (
    -- In two halves, as the sums of the book: exact, and no amounts can overflow.
    SELECT
        head_key, currency,
        CAST(
            sum(iif(owed, minor / 1000000000, 0)) * 1000000000 + sum(iif(owed, minor % 1000000000, 0)) AS INTEGER
        ) AS outstanding,
        CAST(
            sum(iif(owed AND due_on < ?3, minor / 1000000000, 0)) * 1000000000
            + sum(iif(owed AND due_on < ?3, minor % 1000000000, 0)) AS INTEGER
        ) AS overdue,
        CAST(sum(minor / 1000000000) * 1000000000 + sum(minor % 1000000000) AS INTEGER) AS unpaid,
        CAST(
            sum(iif(due_on < ?3, minor / 1000000000, 0)) * 1000000000
            + sum(iif(due_on < ?3, minor % 1000000000, 0)) AS INTEGER
        ) AS unpaid_overdue
    FROM open
    GROUP BY head_key, currency
    HAVING total(minor) > 0
),
settled AS (
    SELECT DISTINCT e.head_key
    FROM everybody AS e
    WHERE
        e.head_key NOT IN (SELECT head_key FROM owed)
        AND EXISTS (
            SELECT 1 FROM invoice AS i
            WHERE
                i.customer_key = e.customer_key AND i.issued_on <= ?3 AND i.kind NOT IN ('credit-note', 'interest-note')
                AND i.amount_minor > 0
        )
)
SELECT
    json_group_array(
        json_array(member.customer_key, g.currency, g.outstanding, g.overdue, g.unpaid, g.unpaid_overdue)
    )
FROM member
CROSS JOIN (
    SELECT head_key, currency, outstanding, overdue, unpaid, unpaid_overdue FROM owed
    UNION ALL
    SELECT head_key, NULL, 0, 0, 0, 0 FROM settled
) AS g ON g.head_key = member.head_key
