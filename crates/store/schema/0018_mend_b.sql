-- What was put right of the ends of pauses.

-- Ends of pauses as they were said before they were put right: what was known then.
CREATE TABLE pause_former (
    pause_key INTEGER NOT NULL REFERENCES pause (key),
    resumed_on TEXT, -- null: it was said that it had not ended
    entry_key INTEGER NOT NULL,
    PRIMARY KEY (pause_key, entry_key)
) STRICT, WITHOUT ROWID;
