-- ?1: the day. Gives [currency, minor] of payments that were not set against an invoice by then.
SELECT json_group_array(json_array(currency, minor))
FROM (
    SELECT currency, sum(minor) AS minor
    FROM (
        SELECT currency, unallocated_minor AS minor FROM payment WHERE unallocated_minor > 0 AND received_on <= ?1
        UNION ALL
        SELECT p.currency, a.amount_minor
        FROM allocation AS a CROSS JOIN payment AS p ON p.key = a.payment_key
        WHERE a.allocated_on > ?1 AND p.received_on <= ?1
    )
    GROUP BY currency
    HAVING sum(minor) <> 0
)
