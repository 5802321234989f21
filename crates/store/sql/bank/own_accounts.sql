-- Gives our accounts, each once: every step goes to the next one of the index.
WITH RECURSIVE
next (own_account) AS (
    SELECT min(own_account) FROM bank_statement
    UNION ALL
    SELECT (SELECT min(s.own_account) FROM bank_statement AS s WHERE s.own_account > next.own_account)
    FROM next
    WHERE next.own_account IS NOT NULL
)
SELECT json_group_array(own_account) FROM next WHERE own_account IS NOT NULL
