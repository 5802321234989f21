-- Gives [broken, ids] for booked write-offs and upheld disputes that have no adjustment which says the same, for
-- adjustments that neither was booked, for voids that their entry tells otherwise, and for those of reversed write-offs
-- and of voids and disputes taken back that still take something off.
WITH
decided AS (
    SELECT
        'write-off/' || id AS id, invoice_key, booked_on, minor, 'write-off' AS difference, reversed_on AS until_on,
        coalesce(decided_entry_key, entry_key) AS entry_key
    FROM write_off
    WHERE state IN ('booked', 'reversed')
    UNION ALL
    SELECT 'dispute/' || id, invoice_key, resolved_on, upheld_minor, 'dispute-upheld', NULL, resolved_entry_key
    FROM dispute
    WHERE
        upheld_minor > 0 AND whole_key IS NULL
),
found AS (
    SELECT d.id
    FROM decided AS d LEFT JOIN adjustment AS a ON a.id = d.id
    WHERE
        a.key IS NULL OR a.invoice_key <> d.invoice_key OR a.booked_on <> d.booked_on OR a.minor <> d.minor
        OR a.difference <> d.difference OR a.until_on IS NOT d.until_on OR a.entry_key <> d.entry_key
        OR (
            d.until_on IS NOT NULL
            AND 0 <> (SELECT coalesce(sum(b.amount_minor), 0) FROM allocation AS b WHERE b.adjustment_key = a.key)
        )
    UNION ALL
    SELECT a.id
    FROM adjustment AS a
    WHERE
        CASE substr(a.id, 1, instr(a.id, '/'))
            WHEN 'write-off/'
                THEN NOT EXISTS (
                    SELECT 1 FROM write_off AS w WHERE w.id = substr(a.id, 11) AND w.state IN ('booked', 'reversed')
                )
            WHEN 'dispute/'
                THEN NOT EXISTS (SELECT 1 FROM dispute AS d WHERE d.id = substr(a.id, 9) AND d.upheld_minor > 0)
                AND (
                    a.until_on IS NOT a.booked_on
                    OR 0 <> (SELECT coalesce(sum(b.amount_minor), 0) FROM allocation AS b WHERE b.adjustment_key = a.key)
                )
            WHEN 'void/'
                THEN NOT EXISTS (
                    SELECT 1 FROM audit AS e CROSS JOIN invoice AS i ON i.key = a.invoice_key
                    WHERE
                        e.key = a.entry_key AND e.noun = 'invoice' AND e.action = 'void' AND e.id = i.id
                        AND a.id = 'void/' || i.id AND a.difference = 'voided'
                        AND e.change ->> '$.after.on' = a.booked_on
                )
                OR (
                    a.until_on IS NOT NULL
                    AND 0 <> (SELECT coalesce(sum(b.amount_minor), 0) FROM allocation AS b WHERE b.adjustment_key = a.key)
                )
            ELSE 1
        END
),
broken AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM (SELECT DISTINCT id FROM found))
SELECT json_array(count(*), json_group_array(id) FILTER (WHERE place <= 10)) FROM broken
