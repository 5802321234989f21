-- ?1: after this customer, ?2: up to this one, ?3: the day.
-- Gives [customer_key, currency, outstanding, overdue] of the group of each customer that is in one and whose group
-- owes anything on the day. Sums over members are floats, as in facts/paying.sql.
WITH
member AS MATERIALIZED (
    SELECT c.key AS customer_key, coalesce(c.parent_key, c.key) AS head_key
    FROM customer AS c
    WHERE
        c.key > ?1 AND c.key <= ?2
        AND (c.parent_key IS NOT NULL OR EXISTS (SELECT 1 FROM customer AS other WHERE other.parent_key = c.key))
),
everybody AS MATERIALIZED (
    SELECT head_key, head_key AS customer_key FROM member
    UNION
    SELECT member.head_key, c.key FROM member CROSS JOIN customer AS c ON c.parent_key = member.head_key
),
open AS (
    SELECT e.head_key, i.currency, i.due_on, i.open_minor AS minor
    FROM everybody AS e
    CROSS JOIN invoice AS i ON i.customer_key = e.customer_key
    WHERE i.kind <> 'credit-note' AND i.issued_on <= ?3 AND +i.open_minor > 0
    UNION ALL
    SELECT e.head_key, i.currency, i.due_on, a.amount_minor
    FROM everybody AS e
    CROSS JOIN allocation AS a ON a.customer_key = e.customer_key
    CROSS JOIN invoice AS i ON i.key = a.invoice_key
    WHERE a.allocated_on > ?3 AND i.issued_on <= ?3
),
owed AS MATERIALIZED (
    SELECT
        head_key, currency, CAST(total(minor) AS INTEGER) AS outstanding,
        CAST(total(CASE WHEN due_on < ?3 THEN minor ELSE 0 END) AS INTEGER) AS overdue
    FROM open
    GROUP BY head_key, currency
    HAVING total(minor) > 0
)
SELECT json_group_array(json_array(member.customer_key, owed.currency, owed.outstanding, owed.overdue))
FROM member CROSS JOIN owed ON owed.head_key = member.head_key
