-- ?1: rows as [customer_key, currency, from, to, less], ?2: amounts, ?3: ids of payments, as JSON arrays; ?4: the last payment
-- before the file, whose own are all of entries.
-- Gives [[customer_key, currency, amount_minor, received_on, id], ...]: the payments of these customers and days of these
-- amounts or of less than `less`, and those of these ids, that no entry of a statement was booked as and that were no mistake.
WITH
found AS (
    SELECT p.key
    FROM (SELECT value AS part FROM json_each(?1) LIMIT -1) AS j
    CROSS JOIN payment AS p INDEXED BY payment_by_customer
        ON p.customer_key = j.part ->> 0 AND p.currency = j.part ->> 1
        AND p.received_on BETWEEN j.part ->> 2 AND j.part ->> 3 AND p.key <= ?4
    WHERE p.amount_minor IN (SELECT value FROM json_each(?2)) OR p.amount_minor < j.part ->> 4
    UNION
    SELECT p.key FROM json_each(?3) AS j CROSS JOIN payment AS p ON p.id = j.value
)
SELECT json_group_array(json_array(p.customer_key, p.currency, p.amount_minor, p.received_on, p.id))
FROM found CROSS JOIN payment AS p ON p.key = found.key
WHERE
    p.converted_from_key IS NULL
    AND p.amount_minor > coalesce(
        (
            SELECT sum(r.minor) FROM reversal AS r
            WHERE r.payment_key = p.key AND r.undone_entry_key IS NULL AND r.kind = 'mistake'
        ),
        0
    )
    AND NOT EXISTS (
        -- As in bank/of_payment.sql.
        SELECT 1 FROM bank_entry AS e
        WHERE
            p.id LIKE 'bank-%' AND e.payment_key = p.key
            AND e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-'))
    )
