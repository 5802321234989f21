-- Gives one line for each thing that cannot be: no line is a ledger that is right.
WITH
used AS (
    SELECT payment_key AS key, sum(amount_minor) AS minor FROM allocation WHERE payment_key IS NOT NULL GROUP BY 1
),
credited AS (
    SELECT credit_key AS key, sum(amount_minor) AS minor FROM allocation WHERE credit_key IS NOT NULL GROUP BY 1
),
met AS (
    SELECT invoice_key AS key, sum(amount_minor) AS minor FROM allocation WHERE invoice_key IS NOT NULL GROUP BY 1
),
-- What was set against each document by the end of each of its days.
by_day AS (
    SELECT 'invoice' AS noun, invoice_key AS key, allocated_on, amount_minor FROM allocation
    WHERE invoice_key IS NOT NULL
    UNION ALL
    SELECT 'payment', payment_key, allocated_on, amount_minor FROM allocation WHERE payment_key IS NOT NULL
    UNION ALL
    SELECT 'invoice', credit_key, allocated_on, amount_minor FROM allocation WHERE credit_key IS NOT NULL
),
running AS (
    SELECT noun, key, allocated_on, sum(sum(amount_minor)) OVER (PARTITION BY noun, key ORDER BY allocated_on) AS minor
    FROM by_day
    GROUP BY noun, key, allocated_on
)
SELECT 'payment ' || p.id || ': allocated + unallocated is not its amount'
FROM payment AS p LEFT JOIN used AS u ON u.key = p.key
WHERE p.unallocated_minor + p.converted_minor + coalesce(u.minor, 0) <> p.amount_minor
UNION ALL
SELECT 'invoice ' || i.id || ': open is not its amount less its allocations'
FROM invoice AS i LEFT JOIN met AS m ON m.key = i.key LEFT JOIN credited AS c ON c.key = i.key
WHERE i.open_minor + coalesce(m.minor, 0) + coalesce(c.minor, 0) <> i.amount_minor
UNION ALL
SELECT 'credit note ' || i.id || ' was paid'
FROM invoice AS i JOIN met AS m ON m.key = i.key
WHERE i.kind = 'credit-note' AND m.minor <> 0
UNION ALL
SELECT 'invoice ' || i.id || ' paid another'
FROM invoice AS i JOIN credited AS c ON c.key = i.key
WHERE i.kind <> 'credit-note' AND c.minor <> 0
UNION ALL
SELECT 'allocation ' || a.key || ' joins documents of two customers or currencies'
FROM allocation AS a
JOIN invoice AS i ON i.key = a.invoice_key
LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
LEFT JOIN invoice AS c ON c.key = coalesce(a.credit_key, x.invoice_key)
WHERE
    a.customer_key <> i.customer_key OR a.customer_key <> coalesce(p.customer_key, c.customer_key)
    OR i.currency <> coalesce(p.currency, c.currency)
UNION ALL
SELECT 'allocation ' || a.key || ' is dated before one of its documents'
FROM allocation AS a
JOIN invoice AS i ON i.key = a.invoice_key
LEFT JOIN payment AS p ON p.key = coalesce(a.payment_key, a.difference_key)
LEFT JOIN adjustment AS x ON x.key = a.adjustment_key
LEFT JOIN invoice AS c ON c.key = coalesce(a.credit_key, x.invoice_key)
WHERE a.allocated_on < i.issued_on OR a.allocated_on < coalesce(p.received_on, c.issued_on)
UNION ALL
SELECT r.noun || ' ' || r.key || ' had ' || r.minor || ' set against it by ' || r.allocated_on
FROM running AS r
LEFT JOIN invoice AS i ON r.noun = 'invoice' AND i.key = r.key
LEFT JOIN payment AS p ON r.noun = 'payment' AND p.key = r.key
WHERE r.minor < 0 OR r.minor > coalesce(i.amount_minor, p.amount_minor)
