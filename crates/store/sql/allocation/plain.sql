-- ?1: keys of customers as a JSON array, ?2: the last payment before the new ones, ?3: 1 where a payment that leaves a
-- little open may book it off.
-- Gives the keys of those whose new payments are set against what they name and move nothing else: all of each names open
-- documents without a discount that were issued by then, and no money of the customer came on the day or later, waits for
-- a document, went back, or follows an order of its own; nothing was adjusted.
WITH
part AS MATERIALIZED (
    SELECT
        p.customer_key, p.currency, p.key AS payment_key, p.received_on, p.amount_minor,
        p.deductions IS NOT NULL OR p.settles IS NOT NULL OR p.converted_from_key IS NOT NULL
        OR p.converted_minor <> 0 OR (p.invoice_key IS NOT NULL AND p.designation IS NOT NULL) AS more,
        coalesce(p.invoice_key, d.value ->> 0) AS invoice_key,
        iif(p.invoice_key IS NULL, d.value ->> 1, p.amount_minor) AS minor
    FROM json_each(?1) AS j
    CROSS JOIN payment AS p ON p.customer_key = j.value AND p.key > ?2
    LEFT JOIN json_each(p.designation) AS d
),
paid AS MATERIALIZED (
    SELECT customer_key, min(received_on) AS first_on FROM part GROUP BY customer_key
),
named AS (
    SELECT customer_key, currency, invoice_key, min(received_on) AS first_on, sum(minor) AS minor, count(*) AS parts
    FROM part
    GROUP BY customer_key, currency, invoice_key
),
moving AS MATERIALIZED (
    SELECT customer_key FROM part GROUP BY payment_key HAVING sum(minor) IS NOT max(amount_minor) OR max(more) = 1
    UNION
    SELECT n.customer_key
    FROM named AS n
    LEFT JOIN invoice AS i ON i.key = n.invoice_key
    LEFT JOIN contract_version AS v ON v.key = i.version_key
    WHERE
        i.key IS NULL OR i.customer_key <> n.customer_key OR i.currency <> n.currency OR i.kind = 'credit-note'
        OR i.issued_on > n.first_on OR v.discount_share IS NOT NULL OR n.minor > i.open_minor
        OR (?3 AND (n.parts > 1 OR n.minor < i.open_minor))
        OR EXISTS (SELECT 1 FROM invoice AS c WHERE c.parent_key = i.key)
)
SELECT json_group_array(customer_key)
FROM paid
WHERE
    customer_key NOT IN (SELECT customer_key FROM moving)
    AND NOT EXISTS (
        SELECT 1 FROM payment AS p
        WHERE
            p.customer_key = paid.customer_key AND p.key <= ?2
            AND (
                p.received_on >= paid.first_on OR p.unallocated_minor > 0
                OR coalesce(p.allocation_order, p.contract_key) IS NOT NULL
            )
    )
    AND NOT EXISTS (
        SELECT 1 FROM invoice AS n
        WHERE
            n.customer_key = paid.customer_key AND n.kind = 'credit-note'
            AND (n.open_minor > 0 OR n.issued_on >= paid.first_on)
    )
    AND NOT EXISTS (SELECT 1 FROM adjustment AS a WHERE a.customer_key = paid.customer_key)
    AND NOT EXISTS (SELECT 1 FROM reversal AS r WHERE r.customer_key = paid.customer_key)
    AND NOT EXISTS (SELECT 1 FROM credit_refund AS f WHERE f.customer_key = paid.customer_key)
