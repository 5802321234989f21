-- ?1: the id of a statement, ?2: after this key, ?3: at most so many. Gives [[key, id, currency, entry, repeats, candidates],
-- ...]: money of the statement that came in and waits for somebody, as it was read.
SELECT
    json_group_array(
        json_array(
            key, id, currency,
            json_object(
                'booked_on', booked_on, 'value_on', value_on, 'minor', minor, 'reversal', json('false'),
                'references', json(coalesce(reference, '[]')), 'end_to_end', end_to_end, 'bank_reference', bank_reference,
                'remittance', coalesce(remittance, ''), 'name', payer_name, 'account', payer_account,
                'instructed_minor', instructed_minor, 'ultimate', ultimate_payer
            ),
            repeats, candidates
        )
    )
FROM (
    SELECT e.*, s.currency
    FROM bank_statement AS s
    CROSS JOIN bank_entry AS e ON e.id > s.id || '-' AND e.id < s.id || '.'
    WHERE
        s.id = ?1 AND e.statement_key = s.key AND e.key > ?2 AND e.state = 'review' AND e.minor > 0 AND e.reversal = 0
    ORDER BY e.key
    LIMIT ?3
)
