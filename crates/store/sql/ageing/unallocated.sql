-- ?1: the day. Gives [currency, minor] of payments that were not set against an invoice by then.
-- Sums of the whole book are added up in two halves: no amounts, however large, can overflow. What no number holds
-- is told as the largest there is.
SELECT json_group_array(json_array(currency, minor))
FROM (
    SELECT currency, CAST(sum(minor / 1000000000) * 1000000000 + sum(minor % 1000000000) AS INTEGER) AS minor
    FROM (
        SELECT currency, unallocated_minor AS minor FROM payment WHERE unallocated_minor > 0 AND received_on <= ?1
        UNION ALL
        SELECT p.currency, a.amount_minor
        FROM allocation AS a CROSS JOIN payment AS p ON p.key = a.payment_key
        WHERE a.allocated_on > ?1 AND p.received_on <= ?1
    )
    GROUP BY currency
    HAVING total(minor) <> 0
)
