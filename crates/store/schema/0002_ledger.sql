-- The ledger in depth: who did what, contracts and rates, instalments, money that goes back, disputes, defaults.
-- _key columns called entry_key name the entry of the audit chain that recorded the row, and by it the moment from
-- which it was known; null is from before the chain. They are not declared as references: a million rows of one import
-- would each look up the same entry.

-- Who did what: append-only, each entry with the hash of the one before. Personal fields lie beside the entry with a
-- salt; the entry's hash covers only their hash, so that they can be erased and the chain still holds.
CREATE TABLE audit (
    key INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    noun TEXT NOT NULL,
    id TEXT NOT NULL,
    change TEXT NOT NULL,
    personal TEXT,
    salt TEXT,
    personal_hash TEXT,
    customer_key INTEGER REFERENCES customer (key), -- whose personal fields they are
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_time ON audit (at);

CREATE INDEX audit_personal ON audit (customer_key) WHERE personal IS NOT NULL;

ALTER TABLE customer ADD COLUMN parent_key INTEGER REFERENCES customer (key);
ALTER TABLE customer ADD COLUMN status TEXT NOT NULL DEFAULT 'active' CHECK (status IN (<customer-status>));
ALTER TABLE customer ADD COLUMN segment TEXT;
ALTER TABLE customer ADD COLUMN industry TEXT;
-- The contract's lists as JSON, like the three below.
ALTER TABLE customer ADD COLUMN tags TEXT;
ALTER TABLE customer ADD COLUMN contacts TEXT;
ALTER TABLE customer ADD COLUMN representatives TEXT;
ALTER TABLE customer ADD COLUMN bank_accounts TEXT;
ALTER TABLE customer ADD COLUMN merged_key INTEGER REFERENCES customer (key);

CREATE INDEX customer_by_parent ON customer (parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX customer_by_merger ON customer (merged_key) WHERE merged_key IS NOT NULL;

-- Changes of a customer's record that may be a sign.
CREATE TABLE customer_change (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    changed_on TEXT NOT NULL,
    part TEXT NOT NULL CHECK (part IN (<customer-part>)),
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT;

CREATE INDEX customer_change_by_customer ON customer_change (customer_key, changed_on);

CREATE TABLE contract (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key)
) STRICT;

CREATE INDEX contract_by_customer ON contract (customer_key);

-- What a contract said from a day on. Versions are only added.
CREATE TABLE contract_version (
    key INTEGER PRIMARY KEY,
    contract_key INTEGER NOT NULL REFERENCES contract (key),
    version INTEGER NOT NULL,
    signed_on TEXT,
    effective_on TEXT NOT NULL,
    ends_on TEXT,
    secured INTEGER NOT NULL CHECK (secured IN (0, 1)),
    discount_share TEXT, -- of its terms, with the days, so that a replay needs no JSON
    discount_days INTEGER,
    allocation_order TEXT,
    document TEXT NOT NULL, -- the contract's new-contract as JSON
    recorded_at TEXT NOT NULL,
    entry_key INTEGER
) STRICT;

-- Whether any contract has a clause for late interest is asked at every sweep.
CREATE INDEX contract_version_with_interest ON contract_version (key) WHERE document ->> 'late_interest' IS NOT NULL;

CREATE UNIQUE INDEX contract_version_once ON contract_version (contract_key, version);

CREATE TABLE guarantee (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    contract_key INTEGER REFERENCES contract (key),
    kind TEXT NOT NULL CHECK (kind IN (<guarantee-kind>)),
    party TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    share TEXT NOT NULL, -- a decimal
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    claim_by TEXT
) STRICT;

CREATE INDEX guarantee_by_customer ON guarantee (customer_key);

-- Rows of rate tables. A later row for the same day takes the place of the earlier one.
CREATE TABLE rate (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    rate TEXT NOT NULL, -- a decimal
    source TEXT NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    entry_key INTEGER
) STRICT;

CREATE INDEX rate_by_name ON rate (name, valid_from, key);

-- Versions of the one document that says how the ledger is kept.
CREATE TABLE policy (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    entry_key INTEGER
) STRICT;

-- An invoice with instalments is a row of amount 0 that its instalments name: they are claims like any other.
ALTER TABLE invoice ADD COLUMN version_key INTEGER REFERENCES contract_version (key);
ALTER TABLE invoice ADD COLUMN relates_key INTEGER REFERENCES invoice (key);
ALTER TABLE invoice ADD COLUMN parent_key INTEGER REFERENCES invoice (key);
ALTER TABLE invoice ADD COLUMN disputed_minor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invoice ADD COLUMN entry_key INTEGER;

CREATE INDEX invoice_by_parent ON invoice (parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX invoice_by_relation ON invoice (relates_key) WHERE relates_key IS NOT NULL;

ALTER TABLE payment ADD COLUMN contract_key INTEGER REFERENCES contract (key);
ALTER TABLE payment ADD COLUMN allocation_order TEXT;
-- As JSON, like the two below: lists of invoice_key and minor.
ALTER TABLE payment ADD COLUMN designation TEXT;
-- Lists of invoice_key, minor and difference.
ALTER TABLE payment ADD COLUMN deductions TEXT;
-- Keys of invoices.
ALTER TABLE payment ADD COLUMN settles TEXT;
ALTER TABLE payment ADD COLUMN converted_from_key INTEGER REFERENCES payment (key);
ALTER TABLE payment ADD COLUMN converted_minor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN entry_key INTEGER;

CREATE INDEX payment_by_contract ON payment (contract_key) WHERE contract_key IS NOT NULL;

CREATE INDEX payment_by_origin ON payment (converted_from_key) WHERE converted_from_key IS NOT NULL;

-- Money that went back.
CREATE TABLE reversal (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    payment_key INTEGER NOT NULL REFERENCES payment (key),
    reversed_on TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (<reversal-kind>)),
    minor INTEGER NOT NULL CHECK (minor > 0),
    reason TEXT,
    entry_key INTEGER
) STRICT;

CREATE INDEX reversal_by_payment ON reversal (payment_key);

CREATE INDEX reversal_by_customer ON reversal (customer_key);

-- What takes something off one document without money: a write-off that counts, a dispute that was upheld.
CREATE TABLE adjustment (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, -- of the write-off or dispute, with the noun and a slash before it
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    booked_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    difference TEXT NOT NULL CHECK (difference IN (<difference>)),
    entry_key INTEGER
) STRICT;

CREATE INDEX adjustment_by_customer ON adjustment (customer_key);

CREATE TABLE write_off (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    booked_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (<write-off-state>)),
    asked_by TEXT NOT NULL,
    decided_by TEXT
) STRICT;

CREATE INDEX write_off_by_invoice ON write_off (invoice_key);

-- What was wrong with a document and how it reads now. The document's row has what it reads now.
CREATE TABLE correction (
    key INTEGER PRIMARY KEY,
    invoice_key INTEGER REFERENCES invoice (key),
    payment_key INTEGER REFERENCES payment (key),
    before TEXT NOT NULL, -- the fields that changed as JSON, by column
    after TEXT NOT NULL,
    reason TEXT NOT NULL,
    entry_key INTEGER,
    CHECK ((invoice_key IS NULL) <> (payment_key IS NULL))
) STRICT;

CREATE INDEX correction_by_invoice ON correction (invoice_key) WHERE invoice_key IS NOT NULL;

CREATE INDEX correction_by_payment ON correction (payment_key) WHERE payment_key IS NOT NULL;

CREATE TABLE dispute (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    opened_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor >= 0),
    reason TEXT NOT NULL CHECK (reason IN (<dispute-reason>)),
    detail TEXT,
    evidence TEXT, -- the contract's attachments as JSON
    outcome TEXT CHECK (outcome IN (<dispute-outcome>)), -- null while it is open
    resolved_on TEXT,
    upheld_minor INTEGER,
    resolution TEXT,
    entry_key INTEGER,
    resolved_entry_key INTEGER,
    CHECK ((outcome IS NULL) = (resolved_on IS NULL))
) STRICT;

CREATE INDEX dispute_by_customer ON dispute (customer_key);

CREATE INDEX dispute_by_invoice ON dispute (invoice_key);

-- Times in which delinquent days do not count.
CREATE TABLE pause (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER REFERENCES invoice (key), -- null: all of the customer's
    from_on TEXT NOT NULL,
    to_on TEXT,
    resumed_on TEXT,
    reason TEXT,
    entry_key INTEGER,
    resumed_entry_key INTEGER
) STRICT;

CREATE INDEX pause_by_customer ON pause (customer_key);

-- Interest that was claimed by a note, or given up.
CREATE TABLE interest_entry (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, -- of the note or waiver, with the noun and a slash before it
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    note_key INTEGER REFERENCES invoice (key), -- of a note: the document; null: given up
    booked_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor <> 0),
    reason TEXT,
    entry_key INTEGER
) STRICT;

CREATE INDEX interest_entry_by_invoice ON interest_entry (invoice_key);

-- The interest of each overdue document under a clause, as a line through time: up to and with a day it is
-- base_minor + (step * (where the day stands on the ruler - mark) + base_rest) / denominator, rounded half away from
-- zero. All of it follows from the ledger; it is kept so that a day more for a million documents is one statement.
CREATE TABLE accrual (
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    ruler INTEGER NOT NULL, -- what the days of its day count are read on, by number
    mark INTEGER NOT NULL, -- where the running stretch begins on it
    step INTEGER NOT NULL, -- what a unit adds; 0 while nothing bears
    base_minor INTEGER NOT NULL, -- what the stretches before gave: whole units,
    base_rest INTEGER NOT NULL, -- and the rest over the denominator
    denominator INTEGER NOT NULL CHECK (denominator > 0),
    until_on TEXT NOT NULL, -- the last day for which the line holds; after it, it is worked out anew
    accrued_minor INTEGER NOT NULL,
    accrued_through TEXT NOT NULL,
    PRIMARY KEY (customer_key, invoice_key)
) STRICT, WITHOUT ROWID;

-- Which lines have come to their end is asked of all of them every day.
CREATE INDEX accrual_by_end ON accrual (customer_key, until_on);

-- Customers whose documents changed since their interest was worked out.
CREATE TABLE accrual_look (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key)
) STRICT;

CREATE TABLE default_record (
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

CREATE INDEX default_record_by_customer ON default_record (customer_key);

CREATE UNIQUE INDEX default_record_open_by_rule ON default_record (customer_key, currency)
    WHERE state = 'open' AND by_rule = 1;

-- Allocations gain sources and the places where money goes besides documents. Rows are still only added.
CREATE TABLE allocation_deep (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER REFERENCES invoice (key), -- null: the money went back to the payer
    payment_key INTEGER REFERENCES payment (key),
    credit_key INTEGER REFERENCES invoice (key),
    adjustment_key INTEGER REFERENCES adjustment (key),
    difference_key INTEGER REFERENCES payment (key), -- the payment that earned a difference
    difference TEXT CHECK (difference IN (<difference>)),
    allocated_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    recorded_at TEXT NOT NULL,
    entry_key INTEGER,
    CHECK ((payment_key IS NOT NULL) + (credit_key IS NOT NULL) + (adjustment_key IS NOT NULL)
        + (difference_key IS NOT NULL) = 1),
    CHECK (invoice_key IS NOT NULL OR payment_key IS NOT NULL)
) STRICT;

INSERT INTO allocation_deep
    (key, customer_key, invoice_key, payment_key, credit_key, allocated_on, amount_minor, recorded_at)
SELECT key, customer_key, invoice_key, payment_key, credit_key, allocated_on, amount_minor, recorded_at
FROM allocation;

DROP TABLE allocation;

ALTER TABLE allocation_deep RENAME TO allocation;

CREATE INDEX allocation_by_customer
    ON allocation (customer_key, invoice_key, allocated_on, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_day ON allocation (allocated_on, invoice_key, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_adjustment ON allocation (adjustment_key) WHERE adjustment_key IS NOT NULL;

-- What is flagged as contested is contested as a whole. An id that leaves no room gives way to the key, in a length
-- that no other has.
INSERT INTO dispute (id, customer_key, invoice_key, opened_on, minor, reason)
SELECT
    'whole/' || CASE WHEN length(id) < 58 THEN id ELSE printf('%058d', key) END,
    customer_key, key, issued_on, amount_minor, 'other'
FROM invoice
WHERE disputed = 1;

UPDATE invoice SET disputed_minor = amount_minor WHERE disputed = 1;

-- A sweep has more stages than before, and notes what was there when it began: what came later is new to the next.
CREATE TABLE sweep_deep (
    business_date TEXT PRIMARY KEY,
    stage TEXT NOT NULL CHECK (stage IN (<stage>)),
    cursor INTEGER NOT NULL, -- the last customer or notice done in this stage
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    counts TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    invoices_upto INTEGER NOT NULL DEFAULT 0, -- the last invoice
    policy_key INTEGER NOT NULL DEFAULT 0 -- the policy in force
) STRICT, WITHOUT ROWID;

INSERT INTO sweep_deep (business_date, stage, cursor, done, counts, started_at, finished_at)
SELECT business_date, stage, cursor, done, json_set(counts, '$.accrued', 0), started_at, finished_at FROM sweep;

DROP TABLE sweep;

ALTER TABLE sweep_deep RENAME TO sweep;
