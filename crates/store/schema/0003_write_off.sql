-- A write-off that was booked by mistake is taken back: it counts until a day.
CREATE TABLE write_off_reversible (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    booked_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (<write-off-state>)),
    asked_by TEXT NOT NULL,
    decided_by TEXT,
    reversed_on TEXT,
    reversed_by TEXT,
    reversal_reason TEXT,
    CHECK ((reversed_on IS NOT NULL) = (state = 'reversed'))
) STRICT;

INSERT INTO write_off_reversible (key, id, invoice_key, booked_on, minor, reason, state, asked_by, decided_by)
SELECT key, id, invoice_key, booked_on, minor, reason, state, asked_by, decided_by FROM write_off;

DROP TABLE write_off;

ALTER TABLE write_off_reversible RENAME TO write_off;

CREATE INDEX write_off_by_invoice ON write_off (invoice_key);

-- The day from which it takes nothing off any more.
ALTER TABLE adjustment ADD COLUMN until_on TEXT;
