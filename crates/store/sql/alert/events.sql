-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4: what happened on this day or before is left out.
-- Gives [customer_key, event, the last day of it] by the names of watched-event. A dispute that is resolved is none.
WITH
-- Groups that anybody of the range is in, by their heads.
heads AS MATERIALIZED (
    SELECT parent_key AS head FROM customer WHERE key > ?1 AND key <= ?2 AND parent_key IS NOT NULL
    UNION
    SELECT c.key FROM customer AS c
    WHERE c.key > ?1 AND c.key <= ?2 AND EXISTS (SELECT 1 FROM customer AS m WHERE m.parent_key = c.key)
),
failed AS MATERIALIZED (
    SELECT h.head, d.customer_key, max(d.found_on) AS day
    FROM heads AS h
    CROSS JOIN customer AS m ON m.parent_key = h.head
    CROSS JOIN default_record AS d ON d.customer_key = m.key
    WHERE d.found_on > ?4 AND d.found_on <= ?3 AND d.state <> 'withdrawn'
    GROUP BY h.head, d.customer_key
    UNION ALL
    SELECT h.head, d.customer_key, max(d.found_on)
    FROM heads AS h
    CROSS JOIN default_record AS d ON d.customer_key = h.head
    WHERE d.found_on > ?4 AND d.found_on <= ?3 AND d.state <> 'withdrawn'
    GROUP BY h.head, d.customer_key
),
happened AS (
    SELECT customer_key, 'payment-returned' AS event, max(reversed_on) AS day
    FROM reversal
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND reversed_on > ?4 AND reversed_on <= ?3
        AND kind IN ('chargeback', 'returned') AND undone_entry_key IS NULL
    GROUP BY customer_key
    UNION ALL
    SELECT customer_key, kind, max(happened_on)
    FROM customer_event
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND happened_on > ?4 AND happened_on <= ?3
        AND kind IN ('payment-failed', 'mandate-cancelled')
    GROUP BY customer_key, kind
    UNION ALL
    SELECT customer_key, 'dispute-opened', max(opened_on)
    FROM dispute
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND opened_on > ?4 AND opened_on <= ?3
        AND (resolved_on IS NULL OR resolved_on > ?3)
    GROUP BY customer_key
    UNION ALL
    SELECT
        customer_key,
        CASE part
            WHEN 'contact' THEN 'contact-changed'
            WHEN 'bank-account' THEN 'bank-changed'
            ELSE 'representative-changed'
        END,
        max(changed_on)
    FROM customer_change
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND changed_on > ?4 AND changed_on <= ?3
        AND part IN ('contact', 'bank-account', 'representative')
    GROUP BY customer_key, part
    UNION ALL
    SELECT customer_key, 'default-opened', max(found_on)
    FROM default_record
    WHERE
        customer_key > ?1 AND customer_key <= ?2 AND found_on > ?4 AND found_on <= ?3 AND state <> 'withdrawn'
    GROUP BY customer_key
    UNION ALL
    SELECT c.key, 'group-default-opened', max(f.day)
    FROM failed AS f
    CROSS JOIN customer AS c ON c.parent_key = f.head
    WHERE c.key > ?1 AND c.key <= ?2 AND c.key <> f.customer_key
    GROUP BY c.key
    UNION ALL
    SELECT f.head, 'group-default-opened', max(f.day)
    FROM failed AS f
    WHERE f.head > ?1 AND f.head <= ?2 AND f.head <> f.customer_key
    GROUP BY f.head
)
SELECT json_group_array(json_array(customer_key, event, day)) FROM happened
