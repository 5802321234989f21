-- ?1: a customer's key, ?2: what stands in the place of a text. Entries that were booked for the customer, those that
-- wait and came from its accounts or have it as the only customer among their candidates, and those that were booked as one
-- of these already. Gives a row for each that had anything to take away.
WITH
own AS MATERIALIZED (
    -- The id of a payment that is not the first of its entry goes on with a hyphen and a number.
    SELECT e.key, e.id FROM payment AS p
    CROSS JOIN bank_entry AS e
        ON e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-'))
    WHERE p.customer_key = ?1 AND p.id LIKE 'bank-%'
    UNION
    SELECT e.key, e.id FROM reversal AS r CROSS JOIN bank_entry AS e ON e.id = substr(r.id, 6)
    WHERE r.customer_key = ?1 AND r.id LIKE 'bank-%'
    UNION
    SELECT e.key, e.id FROM payer_account AS a
    CROSS JOIN bank_entry AS e INDEXED BY bank_entry_by_payer
        ON e.payer_account = a.account AND e.customer_key IS NULL
    WHERE a.customer_key = ?1
    UNION
    SELECT e.key, e.id FROM customer AS c
    CROSS JOIN bank_entry AS e INDEXED BY bank_entry_by_state ON e.state = 'review' AND e.state <> 'automatic'
    WHERE
        c.key = ?1 AND instr(e.candidates, '"customer_id":"' || c.id || '"') > 0
        AND NOT EXISTS (
            SELECT 1 FROM json_each(e.candidates) AS o WHERE o.value ->> 'customer_id' <> c.id
        )
)
UPDATE bank_entry
SET
    remittance = CASE WHEN remittance IS NULL THEN NULL ELSE ?2 END, payer_name = NULL, payer_account = NULL,
    reference = NULL, end_to_end = NULL, ultimate_payer = NULL
WHERE
    key IN (
        SELECT key FROM own
        UNION
        SELECT e.key
        FROM bank_entry AS e INDEXED BY bank_entry_by_state
        WHERE e.state = 'already-booked' AND e.state <> 'automatic' AND e.repeats IN (SELECT id FROM own)
    )
    AND (
        remittance <> ?2 OR payer_name IS NOT NULL OR payer_account IS NOT NULL OR reference IS NOT NULL
        OR end_to_end IS NOT NULL OR ultimate_payer IS NOT NULL
    )
RETURNING key
