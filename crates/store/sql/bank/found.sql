-- ?1: numbers, ?2: accounts, ?3: names, as JSON arrays; ?4: how many that are found by one text are looked at.
-- Gives [[[text, [[invoice_key, whole], ...]], ...], [[account, customer_key], ...], [[name, [customer_key, ...]], ...]].
-- The kinds are name, number and part, in this order. More than ?4 documents or customers that share a text say nothing. A
-- customer who was merged is the one it was merged into.
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
paying AS (
    SELECT j.value AS account, coalesce(c.merged_key, c.key) AS customer_key
    FROM json_each(?2) AS j
    CROSS JOIN payer_account AS a ON a.account = j.value
    CROSS JOIN customer AS c ON c.key = a.customer_key
    UNION
    SELECT a.value ->> 'account', coalesce(c.merged_key, c.key)
    FROM customer AS c INDEXED BY customer_with_accounts
    CROSS JOIN json_each(c.bank_accounts) AS a
    WHERE c.bank_accounts IS NOT NULL AND a.value ->> 'account' IN (SELECT value FROM json_each(?2))
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
        (SELECT json_group_array(json_array(account, customer_key)) FROM paying),
        (SELECT json_group_array(json_array(name, json(targets))) FROM called WHERE targets <> '[]')
    )
