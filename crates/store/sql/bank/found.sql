-- ?1: numbers, ?2: accounts, ?3: names, as JSON arrays; ?4: how many that are found by one text are looked at.
-- Gives [[[text, [[invoice_key, whole], ...]], ...], [[account, customer_key, recorded], ...], [[name, [customer_key, ...]], ...]].
-- The kinds are name, number and part, in this order. More than ?4 documents or customers that share a text say nothing. A
-- customer who was merged is the one it was merged into. An account is recorded when it stands in the customer's record; one that
-- confirmations showed to be several customers' is nobody's.
WITH
numbered AS MATERIALIZED (
    SELECT
        j.value AS text,
        (
            SELECT json_group_array(json_array(target_key, kind = 'number'))
            FROM (
                SELECT k.target_key, k.kind FROM match_key AS k
                WHERE k.text = j.value AND k.kind >= 'number'
                ORDER BY k.kind, k.target_key
                LIMIT ?4
            )
        ) AS targets
    FROM json_each(?1) AS j
),
payer AS (
    SELECT j.value AS account, max(coalesce(c.merged_key, c.key)) AS customer_key, 0 AS recorded
    FROM json_each(?2) AS j
    CROSS JOIN payer_account AS a ON a.account = j.value
    CROSS JOIN customer AS c ON c.key = a.customer_key
    GROUP BY j.value
    HAVING count(DISTINCT coalesce(c.merged_key, c.key)) = 1
    UNION ALL
    SELECT a.value ->> 'account', coalesce(c.merged_key, c.key), 1
    FROM customer AS c INDEXED BY customer_with_accounts
    CROSS JOIN json_each(c.bank_accounts) AS a
    WHERE c.bank_accounts IS NOT NULL AND a.value ->> 'account' IN (SELECT value FROM json_each(?2))
),
paying AS (
    SELECT account, customer_key, max(recorded) AS recorded FROM payer GROUP BY account, customer_key
),
called AS MATERIALIZED (
    SELECT
        j.value AS name,
        (
            SELECT json_group_array(customer_key)
            FROM (
                SELECT DISTINCT coalesce(c.merged_key, c.key) AS customer_key
                FROM match_key AS k CROSS JOIN customer AS c ON c.key = k.target_key
                WHERE k.text = j.value AND k.kind = 'name'
                LIMIT ?4
            )
        ) AS targets
    FROM json_each(?3) AS j
)
SELECT
    json_array(
        (SELECT json_group_array(json_array(text, json(targets))) FROM numbered WHERE targets <> '[]'),
        (SELECT json_group_array(json_array(account, customer_key, recorded)) FROM paying),
        (SELECT json_group_array(json_array(name, json(targets))) FROM called WHERE targets <> '[]')
    )
