-- ?1: after this key, ?2: at most so many, ?3: only this state, ?4: only this match. One of ?3 and ?4 may be given.
-- Gives [[key, match], ...] with the contract's bank-match.
WITH
page AS (
    SELECT * FROM (
        SELECT e.* FROM bank_entry AS e WHERE ?3 <> 'automatic' AND e.state = ?3 AND e.state <> 'automatic' AND e.key > ?1
        UNION ALL
        -- Most are of this state, so that the order of the keys is the shorter way.
        SELECT e.* FROM bank_entry AS e WHERE ?3 = 'automatic' AND e.state = 'automatic' AND e.key > ?1
        UNION ALL
        SELECT e.* FROM bank_entry AS e WHERE ?4 IS NOT NULL AND e.id = ?4
        UNION ALL
        SELECT e.* FROM bank_entry AS e WHERE ?3 IS NULL AND ?4 IS NULL AND e.key > ?1
    )
    ORDER BY key
    LIMIT ?2
)
SELECT
    json_group_array(
        json_array(
            page.key,
            json_object(
                'id', page.id, 'statement_id', s.id, 'number', page.number, 'booked_on', page.booked_on,
                'value_on', page.value_on, 'minor', page.minor, 'currency', s.currency,
                'reversal', json(CASE page.reversal WHEN 1 THEN 'true' ELSE 'false' END),
                'references', json(page.reference), 'end_to_end_id', page.end_to_end,
                'bank_reference', page.bank_reference, 'remittance', page.remittance,
                'instructed_minor', page.instructed_minor, 'ultimate_payer', page.ultimate_payer,
                'payer_name', page.payer_name, 'payer_account', page.payer_account, 'state', page.state,
                'rule', page.rule, 'customer_id', coalesce(m.id, c.id), 'payment_id', p.id,
                'candidates', json(page.candidates), 'repeats', page.repeats
            )
        )
    )
FROM page
CROSS JOIN bank_statement AS s ON s.key = page.statement_key
LEFT JOIN customer AS c ON c.key = page.customer_key
LEFT JOIN customer AS m ON m.key = c.merged_key
LEFT JOIN payment AS p ON p.key = page.payment_key
