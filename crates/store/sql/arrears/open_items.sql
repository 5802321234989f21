-- ?1: after this customer, ?2: up to this one, ?3: the business date.
-- Gives [customer_key, currency, invoice_key, id, due_on, open, disputed, level] of every item that is open on the
-- day, is not paused on it, and belongs to a customer and currency whose next action has come. What is contested in
-- part is open with the rest; `disputed` is what is contested as a whole.
WITH
later AS (
    SELECT invoice_key, sum(amount_minor) AS minor
    FROM allocation
    WHERE customer_key > ?1 AND customer_key <= ?2 AND allocated_on > ?3
    GROUP BY invoice_key
),
item AS (
    SELECT
        i.customer_key, i.currency, i.key, i.id, i.due_on, i.disputed_minor,
        i.open_minor + coalesce((SELECT l.minor FROM later AS l WHERE l.invoice_key = i.key), 0) AS open_minor
    FROM arrears AS a
    CROSS JOIN invoice AS i ON i.customer_key = a.customer_key AND i.currency = a.currency
    WHERE
        a.customer_key > ?1 AND a.customer_key <= ?2 AND a.next_action_on <= ?3 AND a.outstanding_minor > 0
        AND i.issued_on <= ?3 AND i.kind <> 'credit-note'
        AND NOT EXISTS (
            SELECT 1 FROM pause AS p
            WHERE
                p.customer_key = i.customer_key AND p.from_on <= ?3
                AND (p.to_on IS NULL OR p.to_on > ?3) AND (p.resumed_on IS NULL OR p.resumed_on > ?3)
                AND (p.invoice_key IS NULL OR p.invoice_key = i.key OR p.invoice_key = i.parent_key)
        )
)
SELECT
    json_group_array(
        json_array(
            customer_key, currency, key, id, due_on,
            CASE WHEN disputed_minor < open_minor THEN open_minor - disputed_minor ELSE open_minor END,
            disputed_minor >= open_minor, level
        )
    )
FROM (
    SELECT item.*, r.level
    FROM item
    LEFT JOIN reminded AS r ON r.invoice_key = item.key
    WHERE item.open_minor > 0
    ORDER BY item.customer_key, item.currency, item.due_on, item.id
)
