-- Cards, what was judged by them and when, tiers, and when customers are reviewed.

-- How facts become scores. A version that was published never changes; a draft has none.
CREATE TABLE card (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER, -- null: a draft
    valid_from TEXT, -- the first day that it judges
    segment TEXT, -- of the document, null: everybody
    document TEXT NOT NULL, -- the contract card-document as JSON
    entry_key INTEGER,
    CHECK ((version IS NULL) = (valid_from IS NULL))
) STRICT;

CREATE UNIQUE INDEX card_once ON card (name, coalesce(version, 0));

ALTER TABLE score ADD COLUMN notch INTEGER;

ALTER TABLE score ADD COLUMN tier TEXT;

-- Judgements that differ from the one before. Never changed: facts and model give the same card again.
CREATE TABLE score_change (
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    as_of TEXT NOT NULL,
    score TEXT, -- a decimal
    grade TEXT CHECK (grade IN (<grade>)),
    notch INTEGER,
    tier TEXT,
    model TEXT NOT NULL,
    facts TEXT NOT NULL, -- as in the table score
    points TEXT NOT NULL, -- what each indicator gave, as JSON by name
    PRIMARY KEY (customer_key, as_of)
) STRICT, WITHOUT ROWID;

-- Customers of whom something was recorded since they were judged.
CREATE TABLE score_outdated (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key)
) STRICT;

-- What was judged before had its facts in another form: it is worked out anew when it is asked for, and by the next sweep.
UPDATE score SET facts = '{}';

INSERT INTO score_outdated (customer_key) SELECT customer_key FROM score;

-- How customers are sorted: the newest is in force.
CREATE TABLE tiers (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL, -- the contract tier-document as JSON
    entry_key INTEGER
) STRICT;

-- When a person last looked at a customer, and is to look again.
CREATE TABLE review (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    since_on TEXT NOT NULL, -- the first judgement with a grade
    reviewed_on TEXT,
    due_on TEXT, -- null: without a grade
    entry_key INTEGER
) STRICT;

CREATE INDEX review_due ON review (due_on, customer_key) WHERE due_on IS NOT NULL;
