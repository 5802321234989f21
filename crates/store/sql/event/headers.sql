-- ?1: from this row of the order on, ?2: at most so many.
-- Gives [[key, entry_key, at, kind, noun, action], [subject, customer_key, customer_id, data, booked], [invoices_upto,
-- payments_upto, allocations_upto, [customers_after, customers_upto]]].
WITH
page AS (SELECT * FROM event WHERE key >= ?1 ORDER BY key LIMIT ?2),
-- Whose each is: said by the row, or found by the noun and id of its audit entry.
owned AS (
    SELECT
        e.*, a.noun, a.action, a.change, coalesce(e.at, a.at) AS moment, coalesce(e.subject, a.id) AS of,
        coalesce(
            e.customer_key,
            CASE a.noun
                WHEN 'customer' THEN (SELECT key FROM customer WHERE id = a.id)
                WHEN 'customer_event' THEN (SELECT key FROM customer WHERE id = a.id)
                WHEN 'external_fact' THEN (SELECT key FROM customer WHERE id = a.id AND a.action <> 'import')
                WHEN 'invoice' THEN (SELECT customer_key FROM invoice WHERE id = a.id)
                WHEN 'payment' THEN (SELECT customer_key FROM payment WHERE id = a.id)
                WHEN 'payment-name' THEN (
                    SELECT key FROM customer
                    WHERE id = coalesce(a.change ->> '$.after.customer_id', a.change ->> '$.before.customer_id')
                )
                WHEN 'application' THEN (SELECT customer_key FROM application WHERE id = a.id)
                WHEN 'contract' THEN (SELECT customer_key FROM contract WHERE id = a.id)
                WHEN 'guarantee' THEN (SELECT customer_key FROM guarantee WHERE id = a.id)
                WHEN 'dispute' THEN (SELECT customer_key FROM dispute WHERE id = a.id)
                WHEN 'pause' THEN (SELECT customer_key FROM pause WHERE id = a.id)
                WHEN 'default_record' THEN (SELECT customer_key FROM default_record WHERE id = a.id)
                WHEN 'credit_refund' THEN (SELECT customer_key FROM credit_refund WHERE id = a.id)
                WHEN 'interest_entry' THEN (SELECT customer_key FROM interest_entry WHERE id = a.id)
                WHEN 'alert' THEN (SELECT customer_key FROM alert WHERE id = a.id)
                WHEN 'watch' THEN (SELECT key FROM customer WHERE id = a.id)
                WHEN 'credit_hold' THEN (SELECT customer_key FROM credit_hold WHERE id = a.id)
                WHEN 'credit_limit' THEN (SELECT customer_key FROM credit_limit WHERE id = a.id)
                WHEN 'credit_order' THEN (
                    SELECT customer_key FROM credit_order WHERE id = a.id AND until_on = '9999-12-31'
                )
                WHEN 'credit_reservation' THEN (SELECT customer_key FROM credit_reservation WHERE id = a.id)
                -- What somebody decided about an entry of a bank names whose payer it is; what it was decided to be before
                -- says the rest.
                WHEN 'bank-match' THEN coalesce(
                    a.customer_key, (SELECT key FROM customer WHERE id = a.change ->> '$.before.customer_id')
                )
                WHEN 'payer-account' THEN (SELECT key FROM customer WHERE id = a.change ->> '$.before.customer_id')
                WHEN 'write_off' THEN (
                    SELECT i.customer_key FROM write_off AS w JOIN invoice AS i ON i.key = w.invoice_key
                    WHERE w.id = a.id
                )
            END
        ) AS owner,
        -- What went back of a payment, or did not, and what a dispute or a default is by it.
        CASE
            WHEN a.noun = 'payment' AND a.action IN ('reverse', 'reinstate')
                THEN (
                    SELECT
                        json_object(
                            'payment_id', a.id, 'day', a.change ->> '$.after.on', 'minor', a.change -> '$.after.minor',
                            'currency', p.currency, 'state', a.change ->> '$.after.kind'
                        )
                    FROM payment AS p
                    WHERE p.id = a.id
                )
            -- Which payment has another name, and what is known of it under that.
            WHEN a.noun = 'payment-name'
                THEN (
                    SELECT
                        json_object(
                            'payment_id', said ->> 'same_as', 'day', said ->> 'received_on',
                            'minor', said -> '$.amount.minor', 'currency', said ->> '$.amount.currency'
                        )
                    FROM (SELECT iif(a.action = 'remove', a.change -> 'before', a.change -> 'after') AS said)
                )
            WHEN a.noun = 'dispute'
                THEN (
                    SELECT
                        json_object(
                            'invoice_id', i.id, 'day', coalesce(a.change ->> '$.after.resolved_on', a.change ->> '$.after.on'),
                            'minor', coalesce(a.change -> '$.after.minor', a.change -> '$.after.amount.minor'),
                            'currency', i.currency, 'state', coalesce(a.change ->> '$.after.state', 'open'),
                            'outcome', a.change ->> '$.after.outcome', 'upheld_minor', a.change -> '$.after.upheld_minor'
                        )
                    FROM dispute AS d CROSS JOIN invoice AS i ON i.key = d.invoice_key
                    WHERE d.id = a.id
                )
            WHEN a.noun = 'default_record' AND a.action IN ('create', 'close', 'reopen')
                THEN json_object(
                    'invoice_id', coalesce(a.change ->> '$.after.invoice_id', a.change ->> '$.before.invoice_id'),
                    'payment_id', a.change ->> '$.after.payment_id',
                    'day', coalesce(
                        a.change ->> '$.after.on', a.change ->> '$.after.found_on', a.change ->> '$.before.found_on'
                    ),
                    'minor', coalesce(a.change -> '$.after.amount.minor', a.change -> '$.before.amount.minor'),
                    'currency', coalesce(a.change ->> '$.after.amount.currency', a.change ->> '$.before.amount.currency'),
                    'state', coalesce(a.change ->> '$.after.state', 'open')
                )
        END AS back,
        a.noun = 'write_off' AND EXISTS (
            SELECT 1 FROM adjustment AS d WHERE d.id = 'write-off/' || a.id AND d.entry_key = e.entry_key
        ) AS booked
    FROM page AS e
    LEFT JOIN audit AS a ON a.key = e.entry_key
)
SELECT
    json_group_array(
        json_array(
            json_array(o.key, o.entry_key, o.moment, o.kind, o.noun, o.action),
            json_array(
                o.of, c.key, c.id,
                -- Of a hold what its entry says, so that whoever is told need not ask.
                json(iif(
                    o.noun = 'credit_hold',
                    json_object(
                        'order_id', o.change ->> '$.after.order_id', 'minor', o.change ->> '$.after.amount.minor',
                        'currency', o.change ->> '$.after.amount.currency', 'state', o.change ->> '$.after.state',
                        'verdict', o.change ->> '$.after.verdict', 'rules', json(o.change -> '$.after.rules'),
                        'reservation_id', o.change ->> '$.after.reservation_id'
                    ),
                    coalesce(o.data, o.back)
                )),
                coalesce(o.booked, 0)
            ),
            json_array(
                o.invoices_upto, o.payments_upto, o.allocations_upto,
                -- Without a beginning it made no customers but those with entries of their own.
                json_array(
                    coalesce(o.customers_after, 0),
                    CASE WHEN o.customers_after IS NULL THEN 0 ELSE coalesce(o.customers_upto, o.customers_after) END
                )
            )
        )
    )
FROM owned AS o
LEFT JOIN customer AS m ON m.key = o.owner
LEFT JOIN customer AS c ON c.key = coalesce(m.merged_key, m.key)
