-- A file that was cut is sent again and goes on behind its last slice.
-- How the file is read, as JSON: the same id with other options is another import.
ALTER TABLE import ADD COLUMN options TEXT;
-- Counts the requests that worked on it: one that stood still finds that another has taken over.
ALTER TABLE import ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
-- Until then the request that works on it is taken for alive.
ALTER TABLE import ADD COLUMN lease_until TEXT;
-- How far the staged slices reach into the file and what was found so far, as JSON.
ALTER TABLE import ADD COLUMN checkpoint TEXT;
-- The SHA-256 of the whole file.
ALTER TABLE import ADD COLUMN file_hash TEXT;

CREATE INDEX import_unfinished ON import (key) WHERE state = 'staging';

-- What was wrong with rows of a file, in parts, as JSON arrays of the row-error of the contract. Where the result of the
-- import lists all errors there is no row here.
CREATE TABLE import_error (
    import_key INTEGER NOT NULL REFERENCES import (key),
    part INTEGER NOT NULL,
    errors TEXT NOT NULL,
    PRIMARY KEY (import_key, part)
) STRICT;
