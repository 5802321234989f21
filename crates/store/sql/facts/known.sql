-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: twelve months before it, ?5: thirty days before it,
-- ?6: ninety days before it.
-- Gives [customer_key, the day of the first item, of the last invoice and of the one before, [changes of contacts, bank
-- accounts and representatives in 90 days], payments that came back in 12 months] for each customer of whom anything is
-- known. The last invoice and the one before are null when it is more than 30 days ago. One of which nothing is left, as
-- in facts/buying.sql, is none.
WITH
whole AS MATERIALIZED (
    SELECT coalesce(i.parent_key, i.key) AS key
    FROM (
        SELECT invoice_key AS key, amount_minor AS minor
        FROM allocation
        WHERE
            customer_key > ?1 AND customer_key <= ?2 AND credit_key IS NOT NULL AND invoice_key IS NOT NULL
            AND +allocated_on <= ?3
        UNION ALL
        SELECT a.invoice_key, a.amount_minor
        FROM adjustment AS w
        CROSS JOIN allocation AS a ON a.adjustment_key = w.key
        WHERE
            w.customer_key > ?1 AND w.customer_key <= ?2 AND w.difference IN ('voided', 'dispute-upheld')
            AND a.invoice_key IS NOT NULL AND +a.allocated_on <= ?3
        UNION ALL
        SELECT n.relates_key, a.amount_minor
        FROM allocation AS a
        CROSS JOIN invoice AS n ON n.key = a.credit_key
        WHERE
            a.customer_key > ?1 AND a.customer_key <= ?2 AND a.credit_key IS NOT NULL AND a.invoice_key IS NULL
            AND +a.allocated_on <= ?3 AND n.relates_key IS NOT NULL
    ) AS t
    CROSS JOIN invoice AS i ON i.key = t.key
    GROUP BY 1
    HAVING
        sum(t.minor) >= (
            SELECT w.amount_minor FROM invoice AS w WHERE w.key = coalesce(i.parent_key, i.key)
        ) + (SELECT total(p.amount_minor) FROM invoice AS p WHERE p.parent_key = coalesce(i.parent_key, i.key))
),
-- With their instalments, so that the index has all that is read of the many others.
gone AS MATERIALIZED (
    SELECT key FROM whole
    UNION ALL
    SELECT p.key FROM whole CROSS JOIN invoice AS p ON p.parent_key = whole.key
),
item AS (
    SELECT
        customer_key, min(issued_on) AS first_on,
        max(issued_on) FILTER (WHERE kind = 'invoice' AND key NOT IN (SELECT key FROM gone)) AS last_on
    FROM invoice
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND +issued_on <= ?3
        AND kind NOT IN ('credit-note', 'interest-note') AND amount_minor > 0
    GROUP BY customer_key
),
change AS (
    SELECT
        customer_key,
        count(*) FILTER (WHERE part = 'contact') AS contacts,
        count(*) FILTER (WHERE part = 'bank-account') AS banks,
        count(*) FILTER (WHERE part = 'representative') AS representatives
    FROM customer_change
    WHERE customer_key > ?1 AND customer_key <= ?2 AND changed_on > ?6 AND changed_on <= ?3
    GROUP BY customer_key
),
back AS (
    SELECT customer_key, count(DISTINCT payment_key) AS payments
    FROM reversal
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND reversed_on > ?4 AND reversed_on <= ?3
        AND kind IN ('chargeback', 'returned') AND undone_entry_key IS NULL
    GROUP BY customer_key
)
SELECT
    json_group_array(
        json_array(
            c.key,
            i.first_on,
            CASE WHEN i.last_on > ?5 THEN i.last_on END,
            CASE
                WHEN i.last_on > ?5 THEN (
                    SELECT max(b.issued_on) FROM invoice AS b
                    WHERE
                        b.customer_key = c.key AND b.issued_on < i.last_on AND b.kind = 'invoice'
                        AND b.amount_minor > 0 AND b.key NOT IN (SELECT key FROM gone)
                )
            END,
            json_array(
                coalesce(change.contacts, 0), coalesce(change.banks, 0), coalesce(change.representatives, 0)
            ),
            coalesce(back.payments, 0)
        )
    )
FROM customer AS c
LEFT JOIN item AS i ON i.customer_key = c.key
LEFT JOIN change ON change.customer_key = c.key
LEFT JOIN back ON back.customer_key = c.key
WHERE
    c.key > ?1 AND c.key <= ?2
    AND (i.first_on IS NOT NULL OR change.customer_key IS NOT NULL OR back.customer_key IS NOT NULL)
