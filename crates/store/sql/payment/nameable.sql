-- ?1: rows as [row, id, same_as, customer_id, received_on, amount_minor, currency]. Gives [[payment_key, customer, currency,
-- left_minor, taken, named], ...] in the order of the rows: the payment of `same_as`, by any of its names, whether its
-- customer and its currency are those of the row, how much of it and of the fee that the bank kept of it no other name says, whether a payment has the id, and
-- whether the id is a name already: 1 of this payment with this day and amount, 2 of one that became another customer's, so
-- that it is free, 0 another one.
SELECT
    json_group_array(
        json_array(
            p.key, p.customer_key IS coalesce(c.merged_key, c.key), p.currency IS j.value ->> 6,
            p.amount_minor
            + coalesce(
                (
                    -- As in bank/of_payment.sql.
                    SELECT e.instructed_minor - e.minor FROM bank_entry AS e
                    WHERE
                        p.id LIKE 'bank-%' AND e.payment_key = p.key AND e.minor > 0
                        AND e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-'))
                ),
                0
            )
            - coalesce((SELECT sum(o.amount_minor) FROM payment_name AS o WHERE o.payment_key = p.key), 0),
            EXISTS (SELECT 1 FROM payment AS t WHERE t.id = j.value ->> 1),
            (
                SELECT
                    CASE
                        WHEN o.customer_key IS NOT coalesce(c.merged_key, c.key) THEN 2
                        ELSE n.payment_key IS p.key AND n.received_on = j.value ->> 4 AND n.amount_minor = j.value ->> 5
                    END
                FROM payment_name AS n CROSS JOIN payment AS o ON o.key = n.payment_key WHERE n.id = j.value ->> 1
            )
        )
    )
FROM json_each(?1) AS j
LEFT JOIN payment AS p
    ON p.key = coalesce(
        (SELECT key FROM payment WHERE id = j.value ->> 2),
        (SELECT payment_key FROM payment_name WHERE id = j.value ->> 2)
    )
LEFT JOIN customer AS c ON c.id = j.value ->> 3
