-- Ways back: a reversal recorded on the wrong payment, a dispute decided wrongly, a default closed by mistake.

ALTER TABLE reversal ADD COLUMN undone_reason TEXT;

-- Of a reversal that was taken back, as if it had never been: the entry that says so.
ALTER TABLE reversal ADD COLUMN undone_entry_key INTEGER;

-- Decisions of disputes as they were said before they were put right: what was known from the one entry until the other.
CREATE TABLE dispute_former (
    dispute_key INTEGER NOT NULL REFERENCES dispute (key),
    outcome TEXT CHECK (outcome IN (<dispute-outcome>)), -- null: it was said that nothing was decided
    resolved_on TEXT,
    upheld_minor INTEGER,
    resolution TEXT,
    entry_key INTEGER NOT NULL,
    until_entry_key INTEGER NOT NULL,
    PRIMARY KEY (dispute_key, until_entry_key)
) STRICT, WITHOUT ROWID;

-- Ends of defaults as they were said before they were put right.
CREATE TABLE default_former (
    default_key INTEGER NOT NULL REFERENCES default_record (key),
    state TEXT NOT NULL CHECK (state IN (<default-state>)),
    closed_on TEXT, -- null: it was said that it was not over
    cured_by_key INTEGER REFERENCES payment (key),
    entry_key INTEGER NOT NULL,
    until_entry_key INTEGER NOT NULL,
    PRIMARY KEY (default_key, until_entry_key)
) STRICT, WITHOUT ROWID;
