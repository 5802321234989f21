-- Statements of bank accounts: entries that repeat others, matches that went back to review, gaps between statements,
-- and how the numbers of documents look.

-- An entry and its match, as before, with two more columns. The states have grown, and most entries are booked by the
-- rule: the index of states is for those that are not. Entries of a customer are found by its payments.
CREATE TABLE bank_entry_next (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    statement_key INTEGER NOT NULL REFERENCES bank_statement (key),
    number INTEGER NOT NULL,
    booked_on TEXT NOT NULL,
    value_on TEXT,
    minor INTEGER NOT NULL,
    reversal INTEGER NOT NULL CHECK (reversal IN (0, 1)),
    reference TEXT, -- a list as JSON
    end_to_end TEXT,
    bank_reference TEXT,
    remittance TEXT,
    payer_name TEXT,
    payer_account TEXT,
    state TEXT NOT NULL CHECK (state IN (<match-state>)),
    rule TEXT NOT NULL,
    candidates TEXT NOT NULL, -- a list of the contract's candidates as JSON
    customer_key INTEGER REFERENCES customer (key),
    payment_key INTEGER REFERENCES payment (key),
    entry_key INTEGER,
    decided_entry_key INTEGER,
    repeats TEXT, -- the id of the entry that this one is or may be
    undone INTEGER NOT NULL DEFAULT 0 -- how often its payment was a mistake: the next one has another id
) STRICT;

INSERT INTO bank_entry_next
    (key, id, statement_key, number, booked_on, value_on, minor, reversal, reference, end_to_end, bank_reference,
     remittance, payer_name, payer_account, state, rule, candidates, customer_key, payment_key, entry_key,
     decided_entry_key)
SELECT
    key, id, statement_key, number, booked_on, value_on, minor, reversal, reference, end_to_end, bank_reference,
    remittance, payer_name, payer_account, state, rule, candidates, customer_key, payment_key, entry_key,
    decided_entry_key
FROM bank_entry;

DROP TABLE bank_entry;

ALTER TABLE bank_entry_next RENAME TO bank_entry;

CREATE INDEX bank_entry_by_state ON bank_entry (state, key) WHERE state <> 'automatic';

-- What takes an entry back names it.
CREATE INDEX bank_entry_by_end_to_end ON bank_entry (end_to_end) WHERE minor > 0 AND end_to_end IS NOT NULL;

-- Whose entries are erased.
CREATE INDEX bank_entry_by_payer ON bank_entry (payer_account) WHERE customer_key IS NULL AND payer_account IS NOT NULL;

-- Between this statement and the one before something is missing: the contract's statement-gap as JSON. Looked at again
-- whenever a statement of the account comes in.
ALTER TABLE bank_statement ADD COLUMN gap TEXT;

-- The first day that an entry of it counts from or was booked on, null without entries and for those from before.
ALTER TABLE bank_statement ADD COLUMN first_on TEXT;

CREATE INDEX bank_statement_by_account ON bank_statement (account, to_on);

-- Accounts that a confirmed match showed to be a customer's. The id is that of the match, and the entry of the audit
-- chain says who and when.
CREATE TABLE payer_account_next (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    taught_on TEXT NOT NULL,
    entry_key INTEGER NOT NULL,
    UNIQUE (account, customer_key)
) STRICT;

INSERT INTO payer_account_next (id, account, customer_key, taught_on, entry_key)
SELECT coalesce(a.id, 'taught-' || p.entry_key), p.account, p.customer_key, p.taught_on, p.entry_key
FROM payer_account AS p
LEFT JOIN audit AS a ON a.key = p.entry_key AND a.noun = 'bank-match'
ORDER BY p.entry_key;

DROP TABLE payer_account;

ALTER TABLE payer_account_next RENAME TO payer_account;

CREATE INDEX payer_account_by_customer ON payer_account (customer_key);

-- How the numbers of documents look: their letters, and 0 for each digit. What looks like none of them is none.
CREATE TABLE match_mask (
    mask TEXT NOT NULL,
    whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
    PRIMARY KEY (mask, whole)
) STRICT, WITHOUT ROWID;

-- The numbers are looked at once more.
UPDATE match_progress SET upto = 0 WHERE noun = 'invoice';
