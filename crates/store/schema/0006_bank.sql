-- Statements of bank accounts: what came in, what each entry was taken for, and what that was found by.

-- Files of statements and what became of them.
CREATE TABLE bank_import (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    result TEXT -- the contract's import-result as JSON, null while the file is read
) STRICT;

-- Entries that were read and checked, until the file is whole.
CREATE TABLE bank_slice (
    import_key INTEGER NOT NULL REFERENCES bank_import (key),
    slice INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (import_key, slice)
) STRICT;

-- The id follows from the account and the name that the bank gave the statement.
CREATE TABLE bank_statement (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    statement_id TEXT NOT NULL,
    sequence TEXT,
    format TEXT NOT NULL CHECK (format IN (<bank-format>)),
    from_on TEXT,
    to_on TEXT NOT NULL,
    currency TEXT NOT NULL,
    opening_minor INTEGER NOT NULL,
    closing_minor INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    digest TEXT NOT NULL, -- SHA-256 of the statement and its entries, as they were read
    entry_key INTEGER,
    UNIQUE (account, statement_id)
) STRICT;

-- An entry and its match. Nothing is deleted; a decision is a change of state with its entry in the audit chain.
CREATE TABLE bank_entry (
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
    decided_entry_key INTEGER
) STRICT;

CREATE INDEX bank_entry_by_state ON bank_entry (state, key);

-- What takes an entry back names it.
CREATE INDEX bank_entry_by_end_to_end ON bank_entry (end_to_end) WHERE minor > 0 AND end_to_end IS NOT NULL;

-- Whose entries are erased.
CREATE INDEX bank_entry_by_customer ON bank_entry (customer_key) WHERE customer_key IS NOT NULL;
CREATE INDEX bank_entry_by_payer ON bank_entry (payer_account) WHERE customer_key IS NULL AND payer_account IS NOT NULL;

-- Accounts that a confirmed match showed to be a customer's. The entry of the audit chain says who and when.
CREATE TABLE payer_account (
    account TEXT NOT NULL,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    taught_on TEXT NOT NULL,
    entry_key INTEGER NOT NULL,
    PRIMARY KEY (account, customer_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX payer_account_by_customer ON payer_account (customer_key);

-- Accounts in the record of a customer are read from there.
CREATE INDEX customer_with_accounts ON customer (key) WHERE bank_accounts IS NOT NULL;

-- What documents and customers are found by: numbers and names as they are compared. Brought up to date when a
-- statement comes in, so that an import of documents pays nothing for it.
CREATE TABLE match_key (
    text TEXT NOT NULL,
    kind TEXT NOT NULL, -- number, part or name
    target_key INTEGER NOT NULL, -- of the invoice, or of name the customer
    PRIMARY KEY (text, kind, target_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX match_key_of_customer ON match_key (target_key) WHERE kind = 'name';

-- How far that has come: the last key that was looked at.
CREATE TABLE match_progress (
    noun TEXT PRIMARY KEY, -- invoice, customer or audit
    upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO match_progress (noun, upto) VALUES ('invoice', 0), ('customer', 0), ('audit', 0);
