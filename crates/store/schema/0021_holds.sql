-- A hold keeps the whole of the question that waits, and how it read before it was asked otherwise.

-- Of the columns: what of the order was done when more of it was asked for, what was seen when it was last judged, as JSON,
-- and when its order was looked at after the release ran out.
ALTER TABLE credit_hold ADD COLUMN terms_days INTEGER;
ALTER TABLE credit_hold ADD COLUMN base_minor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credit_hold ADD COLUMN reasons TEXT;
ALTER TABLE credit_hold ADD COLUMN followed_at TEXT;

-- Releases from before are not followed up.
UPDATE credit_hold SET followed_at = closed_at WHERE released_until IS NOT NULL;

CREATE INDEX credit_hold_run_out ON credit_hold (released_until)
    WHERE released_until IS NOT NULL AND followed_at IS NULL;

-- How a hold read before a check changed it.
CREATE TABLE credit_hold_former (
    key INTEGER PRIMARY KEY,
    hold_key INTEGER NOT NULL REFERENCES credit_hold (key),
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    purpose TEXT CHECK (purpose IN ('order', 'delivery', 'invoice', 'contract')),
    terms_days INTEGER,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'warn', 'hold', 'forced-hold')),
    rules TEXT NOT NULL, -- names as a JSON array
    changed_at TEXT NOT NULL,
    entry_key INTEGER NOT NULL -- of the change
) STRICT;

CREATE INDEX credit_hold_former_by_hold ON credit_hold_former (hold_key, key);

-- A reservation says what it was asked for and names the check that let it pass, or the hold that cleared for it.
ALTER TABLE credit_reservation ADD COLUMN purpose TEXT CHECK (purpose IN ('order', 'delivery', 'invoice', 'contract'));
ALTER TABLE credit_reservation ADD COLUMN terms_days INTEGER;
ALTER TABLE credit_reservation ADD COLUMN check_id TEXT;
ALTER TABLE credit_reservation ADD COLUMN hold_id TEXT;
