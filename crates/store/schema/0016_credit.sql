-- Credit as it was known at a past moment, debts in the legal stage, and reviews that propose a limit.

-- The entry by which a second key turned a limit down. Of one that counts it is counts_key.
ALTER TABLE credit_limit ADD COLUMN decided_entry_key INTEGER;

-- The entry by which a reservation was committed or released. Null: it ran out, or still stands.
ALTER TABLE credit_reservation ADD COLUMN ended_entry_key INTEGER;

-- The due date of the review for which a limit was looked at already.
ALTER TABLE review ADD COLUMN proposed_for TEXT;

-- Defaults as before, with one kind more.
CREATE TABLE default_record_next (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    contract_key INTEGER REFERENCES contract (key),
    invoice_key INTEGER REFERENCES invoice (key),
    amount_minor INTEGER,
    currency TEXT,
    found_on TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (<default-kind>)),
    reason TEXT NOT NULL,
    evidence TEXT, -- the contract's attachments as JSON
    by_rule INTEGER NOT NULL CHECK (by_rule IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN (<default-state>)),
    closed_on TEXT,
    cured_by_key INTEGER REFERENCES payment (key),
    entry_key INTEGER,
    closed_entry_key INTEGER,
    CHECK ((closed_on IS NULL) = (state = 'open'))
) STRICT;

INSERT INTO default_record_next
    (key, id, customer_key, contract_key, invoice_key, amount_minor, currency, found_on, kind, reason, evidence,
     by_rule, state, closed_on, cured_by_key, entry_key, closed_entry_key)
SELECT
    key, id, customer_key, contract_key, invoice_key, amount_minor, currency, found_on, kind, reason, evidence,
    by_rule, state, closed_on, cured_by_key, entry_key, closed_entry_key
FROM default_record;

DROP TABLE default_record;

ALTER TABLE default_record_next RENAME TO default_record;

CREATE INDEX default_record_by_customer ON default_record (customer_key);

CREATE UNIQUE INDEX default_record_open_by_rule ON default_record (customer_key, currency)
    WHERE state = 'open' AND by_rule = 1;
