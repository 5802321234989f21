-- What others say of customers: statements of accounts, scores and entries in public registers.

-- Each row is how something read from the day on which that was known. A correction is a later row of the same name.
CREATE TABLE external_fact (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN (<external-kind>)),
    name TEXT NOT NULL, -- the end of the period, the day and the source of a score, or the id of an entry
    happened_on TEXT NOT NULL,
    known_on TEXT NOT NULL CHECK (known_on >= happened_on),
    document TEXT NOT NULL, -- the record of the contract as JSON
    entry_key INTEGER,
    UNIQUE (customer_key, kind, name, known_on)
) STRICT;

-- Which claims of a customer are instalments, where there are any.
CREATE INDEX invoice_instalment ON invoice (customer_key, parent_key) WHERE parent_key IS NOT NULL;
