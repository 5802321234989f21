-- ?1: after this key, ?2: at most so many, ?3: only this statement. Gives [[key, statement], ...] with the contract's
-- bank-statement.
SELECT
    json_group_array(
        json_array(
            key,
            json_object(
                'id', id, 'account', account, 'statement_id', statement_id, 'sequence', sequence, 'format', format,
                'from', from_on, 'to', to_on, 'currency', currency, 'opening_minor', opening_minor,
                'closing_minor', closing_minor, 'entries', entries, 'pending', pending, 'gap', json(gap)
            )
        )
    )
FROM (
    SELECT * FROM (
        SELECT * FROM bank_statement WHERE ?3 IS NULL AND key > ?1
        UNION ALL
        SELECT * FROM bank_statement WHERE ?3 IS NOT NULL AND id = ?3
    )
    ORDER BY key
    LIMIT ?2
)
