-- ?1: keys of customers as a JSON array, ?2: the day, ?3: the last audit entry that was known.
-- Gives [customer_key, currency, contract_key, amount_minor, share, [valid_from, valid_to]] of what can be claimed on the
-- day: what is in force, and with its days what is not any more and can be claimed for what fell due between them. What
-- was replaced later reads as before.
WITH
wanted AS (
    SELECT g.key FROM json_each(?1) AS j CROSS JOIN guarantee AS g ON g.customer_key = j.value
    UNION
    SELECT f.guarantee_key FROM json_each(?1) AS j
    CROSS JOIN guarantee_former AS f ON f.customer_key = j.value AND f.entry_key > ?3
),
stood AS (
    SELECT
        coalesce(f.customer_key, g.customer_key) AS customer_key,
        iif(f.key IS NULL, g.contract_key, f.contract_key) AS contract_key,
        coalesce(f.document ->> '$.amount.currency', g.currency) AS currency,
        coalesce(f.document ->> '$.amount.minor', g.amount_minor) AS amount_minor,
        coalesce(f.document ->> 'share', g.share) AS share,
        coalesce(f.document ->> 'valid_from', g.valid_from) AS valid_from,
        iif(f.key IS NULL, g.valid_to, f.document ->> 'valid_to') AS valid_to,
        iif(f.key IS NULL, g.claim_by, f.document ->> 'claim_by') AS claim_by
    FROM wanted
    CROSS JOIN guarantee AS g ON g.key = wanted.key
    LEFT JOIN guarantee_former AS f ON f.key = (
        SELECT min(e.key) FROM guarantee_former AS e WHERE e.guarantee_key = g.key AND e.entry_key > ?3
    )
    WHERE coalesce(g.entry_key, 0) <= ?3
)
SELECT
    json_group_array(
        json_array(
            customer_key, currency, contract_key, amount_minor, share,
            json(iif(valid_to < ?2, json_array(valid_from, valid_to), 'null'))
        )
    )
FROM stood
WHERE
    valid_from <= ?2 AND (claim_by >= ?2 OR (claim_by IS NULL AND (valid_to IS NULL OR valid_to >= ?2)))
    AND customer_key IN (SELECT value FROM json_each(?1))
