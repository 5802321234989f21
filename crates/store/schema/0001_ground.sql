-- The ground: who may call, who owes, what was claimed and paid, and what the sweep made of it.
-- Suffixes: _minor smallest units of the row's currency, _on a calendar day, _at a UTC instant, _key a row of ours.

-- Who may call what. The secret is kept as its SHA-256 only.
CREATE TABLE api_key (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    scopes TEXT NOT NULL, -- a JSON array of the contract's scopes
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT
) STRICT;

-- The first answer to every request that carried an Idempotency-Key.
CREATE TABLE idempotency (
    caller TEXT NOT NULL, -- the id of the key that called
    token TEXT NOT NULL, -- the Idempotency-Key
    request_hash BLOB, -- of method, path, query and body; null while a stream is still being read
    running_until TEXT, -- null once answered; past this moment a run that never answered is taken for dead
    status INTEGER,
    media_type TEXT,
    body TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (caller, token)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- The organisation that owns the receivables: one row.
CREATE TABLE organisation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN (<language>))
) STRICT;

INSERT INTO organisation (one, name, time_zone, language) VALUES (1, 'My company', 'UTC', 'en');

-- Who owes.
CREATE TABLE customer (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    country TEXT,
    currency TEXT,
    language TEXT CHECK (language IN (<language>)),
    time_zone TEXT,
    email TEXT,
    phone TEXT,
    limit_minor INTEGER CHECK (limit_minor >= 0),
    limit_currency TEXT,
    CHECK ((limit_minor IS NULL) = (limit_currency IS NULL))
) STRICT;

-- What was claimed, and for a credit note what was taken off. `open_minor` repeats what the allocations say, so that
-- what is open today needs no sum; it is written in the transaction that writes them.
CREATE TABLE invoice (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN (<invoice-kind>)),
    issued_on TEXT NOT NULL,
    due_on TEXT NOT NULL CHECK (due_on >= issued_on),
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    disputed INTEGER NOT NULL CHECK (disputed IN (0, 1)),
    open_minor INTEGER NOT NULL CHECK (open_minor BETWEEN 0 AND amount_minor)
) STRICT;

-- All that ageing, arrears and facts ask of an invoice, in the order of the sweep.
CREATE INDEX invoice_by_customer
    ON invoice (customer_key, currency, due_on, issued_on, kind, disputed, amount_minor, open_minor);

-- What is open, in the order of the overdue list; grouped by day it gives every ageing without a sort.
CREATE INDEX invoice_open ON invoice (due_on, currency, kind, issued_on, open_minor) WHERE open_minor > 0;

-- Money received. `unallocated_minor` repeats what the allocations say.
CREATE TABLE payment (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    received_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    invoice_key INTEGER REFERENCES invoice (key), -- the invoice the payer named
    unallocated_minor INTEGER NOT NULL CHECK (unallocated_minor BETWEEN 0 AND amount_minor)
) STRICT;

CREATE INDEX payment_by_customer ON payment (customer_key, currency, received_on);

CREATE INDEX payment_unallocated ON payment (customer_key) WHERE unallocated_minor > 0;

-- A part of a payment or credit note set against an invoice. Rows are only added: what a later event changes is taken
-- back by a row with the opposite amount on the same day, so that any past state can be summed again.
CREATE TABLE allocation (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    payment_key INTEGER REFERENCES payment (key),
    credit_key INTEGER REFERENCES invoice (key),
    allocated_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    recorded_at TEXT NOT NULL,
    CHECK ((payment_key IS NULL) <> (credit_key IS NULL))
) STRICT;

-- Everything that is asked for a customer or a range of them is answered from the index alone, in its order.
CREATE INDEX allocation_by_customer
    ON allocation (customer_key, invoice_key, allocated_on, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_day ON allocation (allocated_on, invoice_key, amount_minor, payment_key, credit_key);

-- How the columns of a source become records.
CREATE TABLE profile (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A file that came in and what became of it.
CREATE TABLE import (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN (<import-kind>)),
    profile TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (<import-state>)),
    started_at TEXT NOT NULL,
    finished_at TEXT,
    result TEXT
) STRICT;

-- Checked rows of a file that is still being read: one row a slice, gone when the import is finished.
CREATE TABLE import_slice (
    import_key INTEGER NOT NULL REFERENCES import (key),
    slice INTEGER NOT NULL,
    customers TEXT NOT NULL,
    invoices TEXT NOT NULL,
    payments TEXT NOT NULL,
    PRIMARY KEY (import_key, slice)
) STRICT;

-- The sweep of each business date: how far it has come and what it did.
CREATE TABLE sweep (
    business_date TEXT PRIMARY KEY,
    stage TEXT NOT NULL CHECK (stage IN (<stage>)),
    cursor INTEGER NOT NULL, -- the last customer or notice done in this stage
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    counts TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT
) STRICT, WITHOUT ROWID;

-- Who may sweep now: one row, taken for a bounded time.
CREATE TABLE sweep_lease (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL,
    until_at TEXT NOT NULL
) STRICT;

-- What each customer owed in each currency at the last sweep that found something owed.
CREATE TABLE arrears (
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    currency TEXT NOT NULL,
    as_of TEXT NOT NULL,
    outstanding_minor INTEGER NOT NULL,
    overdue_minor INTEGER NOT NULL,
    unapplied_minor INTEGER NOT NULL,
    oldest_due_on TEXT, -- of what is open
    overdue_since TEXT, -- the business date from which something was overdue without a break
    open_mark INTEGER NOT NULL, -- a checksum of what is open, by item and amount: tells whether anything changed
    last_notice_on TEXT,
    next_action_on TEXT, -- when to look again whether to remind; null until something changes
    PRIMARY KEY (customer_key, currency)
) STRICT, WITHOUT ROWID;

-- How each customer was judged at the last sweep, and the grade of the judgement before.
CREATE TABLE score (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    as_of TEXT NOT NULL,
    score TEXT, -- a decimal
    score_order INTEGER NOT NULL, -- the score in tenths, 10000 when there is none
    grade TEXT CHECK (grade IN (<grade>)),
    grade_before TEXT CHECK (grade_before IN (<grade>)),
    model TEXT NOT NULL,
    facts TEXT NOT NULL -- the contract's facts as JSON: with the model they give the card again
) STRICT;

CREATE INDEX score_by_order ON score (score_order, customer_key);

-- Warnings. Opened once for a customer, kind and currency; closed when the reason is gone.
CREATE TABLE alert (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN (<alert-kind>)),
    currency TEXT NOT NULL, -- empty where none is concerned
    state TEXT NOT NULL CHECK (state IN (<alert-state>)),
    opened_on TEXT NOT NULL,
    closed_on TEXT,
    evidence TEXT NOT NULL, -- the contract's evidence as JSON
    CHECK ((closed_on IS NULL) = (state = 'open'))
) STRICT;

CREATE UNIQUE INDEX alert_open ON alert (customer_key, kind, currency) WHERE state = 'open';

CREATE INDEX alert_by_day ON alert (opened_on, key);

CREATE INDEX alert_by_customer ON alert (customer_key, opened_on, key);

-- How far each invoice has climbed the reminder calendar.
CREATE TABLE reminded (
    invoice_key INTEGER PRIMARY KEY REFERENCES invoice (key),
    level TEXT NOT NULL CHECK (level IN (<notice-level>)),
    day TEXT NOT NULL
) STRICT;

-- Messages to debtors: the outbox and the evidence. Only state, attempts and next_attempt_at ever change.
CREATE TABLE notice (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    currency TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN (<notice-level>)),
    day TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN (<language>)),
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    total_minor INTEGER NOT NULL CHECK (total_minor > 0),
    because TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (<notice-state>)),
    attempts INTEGER NOT NULL,
    next_attempt_at TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX notice_once ON notice (customer_key, currency, level, day);

CREATE INDEX notice_by_day ON notice (day, key);

CREATE INDEX notice_to_deliver ON notice (next_attempt_at, key) WHERE state = 'queued';

-- The items that a notice names, as they were on its day.
CREATE TABLE notice_item (
    notice_key INTEGER NOT NULL REFERENCES notice (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    due_on TEXT NOT NULL,
    open_minor INTEGER NOT NULL,
    PRIMARY KEY (notice_key, invoice_key)
) STRICT, WITHOUT ROWID;

-- Every try to hand a notice over.
CREATE TABLE delivery (
    key INTEGER PRIMARY KEY,
    notice_key INTEGER NOT NULL REFERENCES notice (key),
    tried_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT
) STRICT;

CREATE INDEX delivery_by_notice ON delivery (notice_key);

-- The book as each sweep left it: one row a day.
CREATE TABLE snapshot (
    day TEXT PRIMARY KEY,
    totals TEXT NOT NULL, -- the contract's ageing lines as JSON, edges 30, 60, 90
    customers_overdue INTEGER NOT NULL,
    alerts_open INTEGER NOT NULL,
    notices INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
