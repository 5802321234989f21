-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: the day of the sweep before, ?5: the last invoice that
-- it knew, ?6: whether the policy has a clause.
-- Gives [keys, lines]: the keys of documents whose line is not known or does not reach the day, in the order of the
-- table, and how many have a line.
WITH
-- A row where anything at all became overdue since the sweep before, or came since then.
news AS MATERIALIZED (
    SELECT 1
    WHERE
        (SELECT max(key) FROM invoice) > ?5
        OR EXISTS (SELECT 1 FROM invoice INDEXED BY invoice_open WHERE due_on >= ?4 AND due_on < ?3 AND open_minor > 0)
),
-- What became overdue since then, or came since then and was overdue already.
new AS (
    SELECT i.key, i.version_key
    FROM news CROSS JOIN invoice AS i
    WHERE
        i.customer_key > ?1 AND i.customer_key <= ?2 AND (i.due_on >= ?4 OR i.key > ?5)
        AND i.due_on < ?3 AND i.open_minor > 0 AND i.kind = 'invoice'
),
looked AS (
    SELECT i.key, i.version_key
    FROM accrual_look AS l
    CROSS JOIN invoice AS i ON i.customer_key = l.customer_key
    WHERE
        l.customer_key > ?1 AND l.customer_key <= ?2 AND i.due_on < ?3 AND i.kind = 'invoice'
        AND (
            i.open_minor > 0
            OR EXISTS (SELECT 1 FROM accrual AS a WHERE a.customer_key = i.customer_key AND a.invoice_key = i.key)
        )
),
held AS MATERIALIZED (
    SELECT count(*) AS lines, json_group_array(invoice_key) FILTER (WHERE until_on < ?3) AS spent
    FROM accrual INDEXED BY accrual_by_end
    WHERE customer_key > ?1 AND customer_key <= ?2
)
SELECT json_array(json_group_array(key), (SELECT lines FROM held))
FROM (
    SELECT spent.value AS key FROM held CROSS JOIN json_each(held.spent) AS spent
    UNION
    SELECT o.key
    FROM (SELECT key, version_key FROM new UNION SELECT key, version_key FROM looked) AS o
    LEFT JOIN contract_version AS v ON v.key = o.version_key
    WHERE ?6 = 1 OR v.document ->> 'late_interest' IS NOT NULL
    ORDER BY key
)
