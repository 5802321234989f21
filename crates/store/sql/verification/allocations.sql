-- Gives [broken, ids] for allocations, net of what was taken back, that join documents of two customers or currencies,
-- pay a credit note, or are dated before one of their documents. An id is that of what is paid, or of the payment.
WITH
net AS (
    SELECT
        customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, allocated_on,
        sum(amount_minor) AS minor
    FROM allocation
    GROUP BY customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, allocated_on
    HAVING minor <> 0
),
broken AS (
    SELECT coalesce(i.id, p.id) AS id, row_number() OVER (ORDER BY coalesce(i.id, p.id), a.allocated_on) AS place
    FROM net AS a
    LEFT JOIN invoice AS i ON i.key = a.invoice_key
    LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
    LEFT JOIN invoice AS c ON c.key = a.credit_key
    LEFT JOIN adjustment AS d ON d.key = a.adjustment_key
    WHERE
        a.customer_key <> i.customer_key OR a.customer_key <> p.customer_key
        OR a.customer_key <> c.customer_key
        OR (a.invoice_key <> d.invoice_key AND i.parent_key IS NOT d.invoice_key)
        OR i.currency <> p.currency OR i.currency <> c.currency
        OR i.kind = 'credit-note' OR c.kind <> 'credit-note'
        OR a.allocated_on < i.issued_on OR a.allocated_on < p.received_on
        OR a.allocated_on < c.issued_on OR a.allocated_on < d.booked_on
)
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
