-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it.
-- Gives [customer_key, the newest statement of accounts, the newest score, entries in public registers in 12 months] as
-- each was known on the day, of whoever any of them is known.
WITH
known AS MATERIALIZED (
    SELECT customer_key, kind, name, key, happened_on, document, max(known_on) AS known_on
    FROM external_fact
    WHERE customer_key > ?1 AND customer_key <= ?2 AND known_on <= ?3
    GROUP BY customer_key, kind, name
),
newest AS (
    SELECT customer_key, kind, document, max(printf('%s %020d', happened_on, key)) AS place
    FROM known
    WHERE kind IN ('financials', 'external-scores')
    GROUP BY customer_key, kind
),
part AS (
    SELECT customer_key, document AS statement, NULL AS score, NULL AS entries FROM newest WHERE kind = 'financials'
    UNION ALL
    SELECT customer_key, NULL, document, NULL FROM newest WHERE kind = 'external-scores'
    UNION ALL
    SELECT
        customer_key, NULL, NULL,
        count(*) FILTER (
            WHERE
                happened_on > ?4 AND document ->> 'kind' <> 'none-found'
                AND coalesce(document ->> 'withdrawn', 0) = 0
        )
    FROM known
    WHERE kind = 'public-records'
    GROUP BY customer_key
)
SELECT json_group_array(json_array(customer_key, json(statement), json(score), entries))
FROM (
    SELECT customer_key, max(statement) AS statement, max(score) AS score, max(entries) AS entries
    FROM part
    GROUP BY customer_key
)
