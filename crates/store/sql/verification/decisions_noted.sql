-- Gives [broken, ids] for what was decided beside the ledger and the audit chain tells otherwise: reversals, write-offs,
-- disputes, waivers, pauses, guarantees, versions of contracts, rates and policies whose entry is about something else or
-- says another amount; and for entries of the chain of which nothing is there.
WITH
entry AS (
    SELECT key, noun, action, id, CASE WHEN json_valid(change) THEN change -> '$.after' END AS said FROM audit
),
-- The entries that decided disputes or said that they are open again.
decided AS (
    SELECT resolved_entry_key AS key FROM dispute WHERE resolved_entry_key IS NOT NULL
    UNION ALL
    SELECT entry_key FROM dispute_former
),
-- What names which entry: that of so which noun, by which action where it matters, about which. An amount is compared
-- where the entry says one.
named AS (
    SELECT
        'reversal ' || r.id AS what, r.entry_key, 'payment' AS noun, 'reverse' AS action, p.id, '$.minor' AS path,
        r.minor
    FROM reversal AS r CROSS JOIN payment AS p ON p.key = r.payment_key
    WHERE r.undone_entry_key IS NOT r.entry_key
    UNION ALL
    -- What was kept as one that was there already never counted.
    SELECT 'reversal ' || id, entry_key, 'reversal-name', 'create', id, '$.minor', minor
    FROM reversal
    WHERE undone_entry_key = entry_key
    UNION ALL
    SELECT 'write-off ' || id, entry_key, 'write_off', 'create', id, '$.minor', minor FROM write_off
    UNION ALL
    SELECT 'write-off ' || id, decided_entry_key, 'write_off', 'decide', id, NULL, NULL FROM write_off
    UNION ALL
    SELECT 'write-off ' || id, reversed_entry_key, 'write_off', 'reverse', id, NULL, NULL FROM write_off
    UNION ALL
    SELECT 'dispute ' || id, entry_key, 'dispute', 'create', id, '$.minor', minor FROM dispute
    WHERE id NOT LIKE 'whole/%' AND whole_key IS NULL
    UNION ALL
    SELECT 'reversal ' || r.id, r.undone_entry_key, 'payment', 'reinstate', p.id, '$.minor', r.minor
    FROM reversal AS r CROSS JOIN payment AS p ON p.key = r.payment_key
    WHERE r.undone_entry_key IS NOT r.entry_key
    UNION ALL
    SELECT
        'dispute ' || id, resolved_entry_key, 'dispute', iif(outcome IS NULL, 'reopen', 'resolve'), id,
        '$.upheld_minor', upheld_minor
    FROM dispute
    WHERE whole_key IS NULL
    UNION ALL
    SELECT
        'dispute ' || d.id, nullif(f.entry_key, 0), 'dispute', iif(f.outcome IS NULL, 'reopen', 'resolve'), d.id,
        '$.upheld_minor', f.upheld_minor
    FROM dispute_former AS f CROSS JOIN dispute AS d ON d.key = f.dispute_key
    WHERE d.whole_key IS NULL
    UNION ALL
    SELECT
        'interest ' || id, entry_key, CASE WHEN note_key IS NULL THEN 'interest_entry' ELSE 'invoice' END, 'create',
        CASE WHEN note_key IS NULL THEN id ELSE substr(id, 6) END, '$.amount.minor', minor
    FROM interest_entry
    UNION ALL
    SELECT 'pause ' || id, entry_key, 'pause', 'create', id, NULL, NULL FROM pause
    UNION ALL
    SELECT 'pause ' || id, resumed_entry_key, 'pause', 'resume', id, NULL, NULL FROM pause
    UNION ALL
    SELECT 'pause ' || p.id, f.entry_key, 'pause', 'resume', p.id, NULL, NULL
    FROM pause_former AS f CROSS JOIN pause AS p ON p.key = f.pause_key
    UNION ALL
    SELECT 'guarantee ' || id, entry_key, 'guarantee', NULL, id, NULL, NULL FROM guarantee
    UNION ALL
    SELECT 'contract ' || k.id, v.entry_key, 'contract', NULL, k.id, NULL, NULL
    FROM contract_version AS v CROSS JOIN contract AS k ON k.key = v.contract_key
    UNION ALL
    SELECT 'rate ' || name, entry_key, 'rate', NULL, name, NULL, NULL FROM rate
    UNION ALL
    SELECT 'policy', entry_key, 'policy', NULL, 'policy', NULL, NULL FROM policy
),
found AS (
    SELECT n.what
    FROM named AS n LEFT JOIN entry AS e ON e.key = n.entry_key
    WHERE
        n.entry_key IS NOT NULL
        -- What a bank took back, a statement says.
        AND NOT (e.noun IS 'bank-statement' AND n.action IS 'reverse' AND n.noun = 'payment')
        AND (
            e.noun IS NOT n.noun OR e.id IS NOT n.id OR (n.action IS NOT NULL AND e.action <> n.action)
            OR (n.path IS NOT NULL AND e.said ->> n.path <> n.minor)
        )
    UNION ALL
    SELECT e.noun || ' ' || e.id
    FROM entry AS e
    WHERE
        CASE e.noun || ' ' || e.action
            WHEN 'payment reverse' THEN e.key NOT IN (SELECT entry_key FROM reversal WHERE entry_key IS NOT NULL)
            WHEN 'payment reinstate'
                THEN e.key NOT IN (SELECT undone_entry_key FROM reversal WHERE undone_entry_key IS NOT NULL)
            -- What it was said to be may have been taken back, and something else have been said of it since.
            WHEN 'reversal-name create'
                THEN coalesce(e.key > (SELECT entry_key FROM reversal WHERE id = e.id), 1)
            WHEN 'write_off create' THEN e.key IS NOT (SELECT entry_key FROM write_off WHERE id = e.id)
            WHEN 'write_off decide' THEN e.key IS NOT (SELECT decided_entry_key FROM write_off WHERE id = e.id)
            WHEN 'write_off reverse' THEN e.key IS NOT (SELECT reversed_entry_key FROM write_off WHERE id = e.id)
            WHEN 'dispute create' THEN e.key IS NOT (SELECT entry_key FROM dispute WHERE id = e.id)
            -- A decision that was put right is kept beside.
            WHEN 'dispute resolve' THEN e.key NOT IN (SELECT key FROM decided)
            WHEN 'dispute reopen' THEN e.key NOT IN (SELECT key FROM decided)
            WHEN 'interest_entry create' THEN e.key IS NOT (SELECT entry_key FROM interest_entry WHERE id = e.id)
        END
),
broken AS (SELECT what, row_number() OVER (ORDER BY what) AS place FROM (SELECT DISTINCT what FROM found))
SELECT json_array(count(*), json_group_array(what) FILTER (WHERE place <= 10)) FROM broken
