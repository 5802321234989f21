-- ?1: [event, after, upto] by key. Gives [event, key, id, customer_key, customer_id, received_on, minor, currency,
-- entry_key] as the payments read when they were recorded.
SELECT
    json_group_array(
        json_array(
            s.value ->> 0, p.key, p.id, p.customer_key, c.id,
            coalesce(
                (
                    SELECT r.before ->> 'received_on' FROM correction AS r
                    WHERE r.payment_key = p.key AND r.before ->> 'received_on' IS NOT NULL ORDER BY r.key LIMIT 1
                ),
                p.received_on
            ),
            coalesce(
                (
                    SELECT r.before ->> 'amount_minor' FROM correction AS r
                    WHERE r.payment_key = p.key AND r.before ->> 'amount_minor' IS NOT NULL ORDER BY r.key LIMIT 1
                ),
                p.amount_minor
            ),
            p.currency, p.entry_key
        )
    )
FROM json_each(?1) AS s
CROSS JOIN payment AS p ON p.key > s.value ->> 1 AND p.key <= s.value ->> 2
JOIN customer AS c ON c.key = p.customer_key
