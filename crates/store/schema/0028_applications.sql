-- What somebody who has no history yet asked for, with what was told of the business, and what it was answered.
CREATE TABLE application (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    at TEXT NOT NULL,
    rule TEXT NOT NULL, -- name and version
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'warn', 'hold', 'forced-hold')),
    question TEXT NOT NULL, -- the application as JSON
    entry_key INTEGER NOT NULL
) STRICT;

CREATE INDEX application_by_customer ON application (customer_key, key);
