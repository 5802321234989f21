-- ?1: after this customer, ?2: up to this one, ?3: the day.
-- Gives three things: [customer_key, minor, currency] of whose record has a credit limit; [customer_key, entry of the
-- domain] of the customers' own dated limits that count and began by the day; and from which amounts on a limit needs a
-- second key, null where no policy says so.
WITH
recorded AS (
    SELECT key, limit_minor, limit_currency FROM customer WHERE key > ?1 AND key <= ?2 AND limit_minor IS NOT NULL
),
dated AS (
    SELECT
        l.customer_key,
        json_object(
            'kind', l.kind, 'minor', l.minor, 'currency', l.currency, 'unlimited', l.unlimited,
            'mandatory', l.mandatory, 'from', l.from_on, 'to', l.to_on, 'id', l.id, 'counts', l.counts_key
        ) AS entry
    FROM credit_limit AS l
    WHERE
        l.customer_key > ?1 AND l.customer_key <= ?2 AND l.counts_key > 0 AND l.kind <> 'group'
        AND l.from_on <= ?3
)
SELECT
    json_array(
        (SELECT json_group_array(json_array(key, limit_minor, limit_currency)) FROM recorded),
        (SELECT json_group_array(json_array(customer_key, json(entry))) FROM dated),
        json((SELECT y.document -> '$.second_key_from' FROM limit_policy AS y ORDER BY y.key DESC LIMIT 1))
    )
