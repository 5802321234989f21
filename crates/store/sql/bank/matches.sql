-- ?1: after this key, ?2: at most so many, ?3: only this state, ?4: only this match, ?5: 1 for booked credits alone of which
-- the payment does not stand for all any more: some of it was a mistake, or it was corrected to less. One of ?3 and ?4 may be
-- given.
-- Gives [[key, match], ...] with the contract's bank-match.
WITH
page AS (
    SELECT * FROM (
        SELECT e.* FROM bank_entry AS e WHERE ?5 = 0 AND ?3 <> 'automatic' AND e.state = ?3 AND e.state <> 'automatic' AND e.key > ?1
        UNION ALL
        -- Most are of this state, so that the order of the keys is the shorter way.
        SELECT e.* FROM bank_entry AS e WHERE ?5 = 0 AND ?3 = 'automatic' AND e.state = 'automatic' AND e.key > ?1
        UNION ALL
        SELECT e.* FROM bank_entry AS e WHERE ?4 IS NOT NULL AND e.id = ?4
        UNION ALL
        SELECT e.* FROM bank_entry AS e WHERE ?5 = 0 AND ?3 IS NULL AND ?4 IS NULL AND e.key > ?1
        UNION ALL
        SELECT e.*
        FROM (
            SELECT payment_key FROM reversal WHERE kind = 'mistake' AND undone_entry_key IS NULL
            UNION
            SELECT payment_key FROM correction WHERE payment_key IS NOT NULL
        ) AS f
        CROSS JOIN payment AS p ON p.key = f.payment_key
        -- As in bank/of_payment.sql.
        CROSS JOIN bank_entry AS e
            ON e.id IN (substr(p.id, 6), rtrim(rtrim(substr(p.id, 6), '0123456789'), '-')) AND e.payment_key = p.key
        WHERE
            ?5 = 1 AND e.key > ?1 AND e.minor > 0 AND p.id LIKE 'bank-%' AND (?3 IS NULL OR e.state = ?3)
            AND e.minor - p.amount_minor + coalesce(
                (
                    SELECT sum(r.minor) FROM reversal AS r
                    WHERE r.payment_key = p.key AND r.undone_entry_key IS NULL AND r.kind = 'mistake'
                ),
                0
            ) > 0
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
                'unbooked_minor', nullif(
                    max(
                        0,
                        iif(page.minor > 0, page.minor - p.amount_minor, NULL) + coalesce(
                            (
                                SELECT sum(r.minor) FROM reversal AS r
                                WHERE r.payment_key = p.key AND r.undone_entry_key IS NULL AND r.kind = 'mistake'
                            ),
                            0
                        )
                    ),
                    0
                ),
                'candidates', json(page.candidates), 'repeats', page.repeats
            )
        )
    )
FROM page
CROSS JOIN bank_statement AS s ON s.key = page.statement_key
LEFT JOIN customer AS c ON c.key = page.customer_key
LEFT JOIN customer AS m ON m.key = c.merged_key
LEFT JOIN payment AS p ON p.key = page.payment_key
