-- ?1: rows as [number, customer_key, currency, minor, from, to], ?2: rows as [number, payment's id, currency].
-- Gives [[number, customer_key, payment's id], ...]: the payments of these customers of these amounts and days, and those of
-- these ids, that no entry of a statement was booked as and of which nothing went back.
WITH
found AS (
    SELECT j.part ->> 0 AS number, p.key
    FROM (SELECT value AS part FROM json_each(?1) LIMIT -1) AS j
    CROSS JOIN payment AS p INDEXED BY payment_by_customer
        ON p.customer_key = j.part ->> 1 AND p.currency = j.part ->> 2
        AND p.received_on BETWEEN j.part ->> 4 AND j.part ->> 5
    WHERE p.amount_minor = j.part ->> 3
    UNION
    SELECT j.part ->> 0, p.key
    FROM (SELECT value AS part FROM json_each(?2) LIMIT -1) AS j
    CROSS JOIN payment AS p ON p.id = j.part ->> 1
    WHERE p.currency = j.part ->> 2
)
SELECT json_group_array(json_array(found.number, p.customer_key, p.id))
FROM found CROSS JOIN payment AS p ON p.key = found.key
WHERE
    p.converted_from_key IS NULL
    AND NOT EXISTS (SELECT 1 FROM reversal AS r WHERE r.payment_key = p.key)
    AND NOT EXISTS (
        -- As in bank/of_payment.sql.
        SELECT 1 FROM bank_entry AS e
        WHERE
            p.id LIKE 'bank-%' AND e.payment_key = p.key
            AND e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-'))
    )
