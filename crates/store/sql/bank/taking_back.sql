-- ?1: after this key. Gives [[key, id, booked_on, minor, payment_key, payment_id, customer_key,
-- customer_id], ...] for each entry that takes money back, with the entries before it that have the same
-- end-to-end reference on the same account of ours, the same amount in the same currency, no other payer's account, and
-- a payment of which nothing went back yet.
SELECT
    json_group_array(json_array(key, id, booked_on, minor, payment_key, payment_id, customer_key, customer_id))
FROM (
    SELECT
        e.key, e.id, e.booked_on, -e.minor AS minor, p.key AS payment_key, p.id AS payment_id, p.customer_key,
        c.id AS customer_id
    FROM bank_entry AS e INDEXED BY bank_entry_by_state
    CROSS JOIN bank_entry AS before INDEXED BY bank_entry_by_end_to_end ON before.end_to_end = e.end_to_end
    CROSS JOIN bank_statement AS s ON s.key = e.statement_key
    CROSS JOIN bank_statement AS t ON t.key = before.statement_key
    CROSS JOIN payment AS p ON p.key = before.payment_key
    CROSS JOIN customer AS c ON c.key = p.customer_key
    WHERE
        e.state = 'review' AND e.state <> 'automatic' AND e.key > ?1 AND e.minor < 0 AND e.reversal = 1 AND e.repeats IS NULL
        AND t.account = s.account AND t.currency = s.currency
        AND coalesce(e.payer_account, before.payer_account, '') = coalesce(before.payer_account, e.payer_account, '')
        AND before.minor = -e.minor AND before.minor > 0
        AND p.amount_minor = before.minor AND p.received_on <= e.booked_on
        AND NOT EXISTS (SELECT 1 FROM reversal AS r WHERE r.payment_key = p.key)
    ORDER BY e.key, p.key
)
