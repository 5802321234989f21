-- Gives 1 if every allocation joins documents of one customer in one currency on a day that both have reached.
SELECT
    NOT EXISTS (
        SELECT 1
        FROM allocation AS a NOT INDEXED
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
