-- Disputes of documents with instalments: what is of which of them is found anew whenever what it rests on changes.

-- How much was contested of a part before.
ALTER TABLE dispute_former ADD COLUMN minor INTEGER;

UPDATE dispute_former SET minor = (SELECT d.minor FROM dispute AS d WHERE d.key = dispute_former.dispute_key);

-- What was upheld takes off the whole document, not each instalment by itself.
INSERT INTO adjustment (id, customer_key, invoice_key, booked_on, minor, entry_key, until_on, difference)
SELECT
    'dispute/' || w.id, w.customer_key, w.invoice_key, coalesce(w.resolved_on, max(a.booked_on)),
    coalesce(nullif(w.upheld_minor, 0), sum(a.minor)),
    CASE WHEN w.upheld_minor > 0 THEN w.resolved_entry_key ELSE max(a.entry_key) END,
    CASE WHEN w.upheld_minor > 0 THEN NULL ELSE coalesce(w.resolved_on, max(a.booked_on)) END, 'dispute-upheld'
FROM dispute AS p
CROSS JOIN dispute AS w ON w.key = p.whole_key
CROSS JOIN adjustment AS a ON a.id = 'dispute/' || p.id
GROUP BY w.key;

UPDATE allocation SET adjustment_key = (
    SELECT n.key
    FROM adjustment AS a
    CROSS JOIN dispute AS p ON p.id = substr(a.id, 9)
    CROSS JOIN dispute AS w ON w.key = p.whole_key
    CROSS JOIN adjustment AS n ON n.id = 'dispute/' || w.id
    WHERE a.key = allocation.adjustment_key
)
WHERE
    adjustment_key IN (
        SELECT a.key FROM dispute AS p CROSS JOIN adjustment AS a ON a.id = 'dispute/' || p.id
        WHERE p.whole_key IS NOT NULL
    );

DELETE FROM adjustment
WHERE id IN (SELECT 'dispute/' || p.id FROM dispute AS p WHERE p.whole_key IS NOT NULL);

-- Of each part what was taken off its instalment.
UPDATE dispute SET upheld_minor = coalesce((
    SELECT sum(a.amount_minor)
    FROM dispute AS w
    CROSS JOIN adjustment AS x ON x.id = 'dispute/' || w.id
    CROSS JOIN allocation AS a ON a.adjustment_key = x.key
    WHERE w.key = dispute.whole_key AND a.invoice_key = dispute.invoice_key
), 0)
WHERE whole_key IS NOT NULL AND upheld_minor IS NOT NULL;

UPDATE dispute_former SET upheld_minor = coalesce((
    SELECT sum(a.amount_minor)
    FROM dispute AS p
    CROSS JOIN dispute AS w ON w.key = p.whole_key
    CROSS JOIN adjustment AS x ON x.id = 'dispute/' || w.id
    CROSS JOIN allocation AS a ON a.adjustment_key = x.key
    WHERE
        p.key = dispute_former.dispute_key AND a.invoice_key = p.invoice_key
        AND coalesce(a.entry_key, 0) < dispute_former.until_entry_key
), 0)
WHERE
    upheld_minor IS NOT NULL
    AND dispute_key IN (SELECT key FROM dispute WHERE whole_key IS NOT NULL);

-- A part for each instalment, also where nothing of it is contested.
INSERT INTO dispute
    (id, customer_key, invoice_key, opened_on, minor, reason, detail, evidence, outcome, resolved_on, upheld_minor,
     resolution, entry_key, resolved_entry_key, whole_key)
SELECT
    w.id || substr(i.id, length(n.id) + 1), w.customer_key, i.key, w.opened_on, 0, w.reason, w.detail, w.evidence,
    w.outcome, w.resolved_on, CASE WHEN w.upheld_minor IS NOT NULL THEN 0 END, w.resolution, w.entry_key,
    w.resolved_entry_key, w.key
FROM dispute AS w
CROSS JOIN invoice AS n ON n.key = w.invoice_key
CROSS JOIN invoice AS i ON i.parent_key = n.key
WHERE
    w.whole_key IS NULL
    AND EXISTS (SELECT 1 FROM dispute AS p WHERE p.whole_key = w.key)
    AND NOT EXISTS (SELECT 1 FROM dispute AS p WHERE p.whole_key = w.key AND p.invoice_key = i.key)
ON CONFLICT (id) DO NOTHING;

INSERT INTO dispute_former
    (dispute_key, outcome, resolved_on, upheld_minor, resolution, minor, entry_key, until_entry_key)
SELECT
    p.key, f.outcome, f.resolved_on, CASE WHEN f.upheld_minor IS NOT NULL THEN 0 END, f.resolution, 0, f.entry_key,
    f.until_entry_key
FROM dispute_former AS f CROSS JOIN dispute AS p ON p.whole_key = f.dispute_key
WHERE TRUE
ON CONFLICT (dispute_key, until_entry_key) DO NOTHING;
