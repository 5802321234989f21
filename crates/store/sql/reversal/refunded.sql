-- ?1: a payment's key, ?2: another name of it, or null.
-- Gives how much was refunded of it, under that name where one is given. What was said to be a debit of a statement counts
-- while that is booked on the payment. What was refunded under the payment's own id is the name's as far as it is more than
-- what has no name.
SELECT
    coalesce(sum(minor) FILTER (WHERE ?2 IS NULL OR payment_name = ?2), 0)
    + iif(
        ?2 IS NULL, 0,
        max(
            0,
            coalesce(sum(minor) FILTER (WHERE payment_name IS NULL), 0)
            - max(
                0,
                (SELECT amount_minor FROM payment WHERE key = ?1)
                - (SELECT coalesce(sum(amount_minor), 0) FROM payment_name WHERE payment_key = ?1)
                - coalesce(
                    (
                        -- Names of its parts in other currencies say what those cost.
                        SELECT sum(CAST((2 * n.amount_minor * p.cost_minor + p.amount_minor) / (2 * p.amount_minor) AS INTEGER))
                        FROM payment AS p CROSS JOIN payment_name AS n ON n.payment_key = p.key
                        WHERE p.converted_from_key = ?1
                    ),
                    0
                )
            )
        )
    )
FROM reversal
WHERE
    payment_key = ?1 AND kind = 'refund'
    AND (
        undone_entry_key IS NULL
        OR undone_entry_key = entry_key
        AND EXISTS (
            -- As in bank/of_reversal.sql.
            SELECT 1 FROM bank_entry AS e
            WHERE
                e.id IN (substr(reason, 6), rtrim(rtrim(substr(reason, 6), '0123456789'), '-'))
                AND e.payment_key = ?1 AND e.minor < 0
        )
    )
