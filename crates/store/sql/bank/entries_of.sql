-- ?1: rows as [statement_key, id], ?2: from this day, ?3: to this day. Gives [[statement_key, id, booked_on, value_on,
-- minor, references, end_to_end, bank_reference, remittance, payer_name, payer_account], ...]: entries of these statements
-- that repeat no others. The id of an entry is that of its statement, a hyphen and its number.
SELECT
    json_group_array(
        json_array(
            statement_key, id, booked_on, value_on, minor, json(reference), end_to_end, bank_reference, remittance,
            payer_name, payer_account
        )
    )
FROM (
    SELECT e.*
    FROM json_each(?1) AS j
    CROSS JOIN bank_entry AS e ON e.id > (j.value ->> 1) || '-' AND e.id < (j.value ->> 1) || '.'
    WHERE
        e.statement_key = j.value ->> 0 AND e.state <> 'already-booked'
        AND max(e.booked_on, coalesce(e.value_on, '')) >= ?2 AND min(e.booked_on, coalesce(e.value_on, e.booked_on)) <= ?3
    ORDER BY e.key
)
