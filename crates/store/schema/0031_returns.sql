-- What goes back of a payment is kept whole, in the currency of the payment: what of it falls on its parts in other
-- currencies follows from all that went back.
UPDATE reversal SET minor = minor + coalesce(
    (
        SELECT iif(count(t.cost_minor) = count(*), sum(t.cost_minor), max(w.converted_minor))
        FROM payment AS w
        CROSS JOIN payment AS p ON p.converted_from_key = w.key
        CROSS JOIN reversal AS t ON t.payment_key = p.key AND t.id = reversal.id || '/' || p.currency
        WHERE w.key = reversal.payment_key
    ),
    0
)
WHERE payment_key IN (SELECT converted_from_key FROM payment WHERE converted_from_key IS NOT NULL);

-- Where all of it fell on parts.
INSERT INTO reversal (
    id, customer_key, payment_key, reversed_on, kind, minor, reason, entry_key, undone_reason, undone_entry_key
)
SELECT
    f.id, f.customer_key, f.payment_key, f.reversed_on, f.kind,
    iif(count(f.cost_minor) = count(*), sum(f.cost_minor), max(f.converted_minor)), f.reason, f.entry_key,
    f.undone_reason, f.undone_entry_key
FROM (
    SELECT
        substr(t.id, 1, length(t.id) - length(p.currency) - 1) AS id, t.customer_key, w.key AS payment_key,
        t.reversed_on, t.kind, t.cost_minor, w.converted_minor, t.reason, t.entry_key, t.undone_reason,
        t.undone_entry_key
    FROM payment AS p
    CROSS JOIN payment AS w ON w.key = p.converted_from_key
    CROSS JOIN reversal AS t ON t.payment_key = p.key
    WHERE p.converted_from_key IS NOT NULL
) AS f
WHERE NOT EXISTS (SELECT 1 FROM reversal AS o WHERE o.id = f.id)
GROUP BY f.id;

DELETE FROM reversal
WHERE payment_key IN (SELECT key FROM payment WHERE converted_from_key IS NOT NULL);

ALTER TABLE reversal DROP COLUMN cost_minor;
