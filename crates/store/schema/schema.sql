-- The sum of all migrations, to read. Written by the test `migrations` of dunlin-store with UPDATE=1.

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

CREATE TABLE organisation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('en', 'zh-CN'))
) STRICT;

CREATE TABLE customer (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    country TEXT,
    currency TEXT,
    language TEXT CHECK (language IN ('en', 'zh-CN')),
    time_zone TEXT,
    email TEXT,
    phone TEXT,
    limit_minor INTEGER CHECK (limit_minor >= 0),
    limit_currency TEXT, parent_key INTEGER REFERENCES customer (key), status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('prospect', 'active', 'on-hold', 'suspended', 'closed')), segment TEXT, industry TEXT, tags TEXT, contacts TEXT, representatives TEXT, bank_accounts TEXT, merged_key INTEGER REFERENCES customer (key), entry_key INTEGER, merged_on TEXT,
    CHECK ((limit_minor IS NULL) = (limit_currency IS NULL))
) STRICT;

CREATE TABLE invoice (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'credit-note', 'interest-note', 'fee')),
    issued_on TEXT NOT NULL,
    due_on TEXT NOT NULL CHECK (due_on >= issued_on),
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    disputed INTEGER NOT NULL CHECK (disputed IN (0, 1)),
    open_minor INTEGER NOT NULL CHECK (open_minor BETWEEN 0 AND amount_minor)
, version_key INTEGER REFERENCES contract_version (key), relates_key INTEGER REFERENCES invoice (key), parent_key INTEGER REFERENCES invoice (key), disputed_minor INTEGER NOT NULL DEFAULT 0, entry_key INTEGER, penalty INTEGER NOT NULL DEFAULT 0 CHECK (penalty IN (0, 1)), reference TEXT) STRICT;

CREATE INDEX invoice_by_customer
    ON invoice (customer_key, currency, due_on, issued_on, kind, disputed, amount_minor, open_minor);

CREATE INDEX invoice_open ON invoice (due_on, currency, kind, issued_on, open_minor) WHERE open_minor > 0;

CREATE TABLE payment (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    received_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    invoice_key INTEGER REFERENCES invoice (key), -- the invoice the payer named
    unallocated_minor INTEGER NOT NULL CHECK (unallocated_minor BETWEEN 0 AND amount_minor)
, contract_key INTEGER REFERENCES contract (key), allocation_order TEXT, designation TEXT, deductions TEXT, settles TEXT, converted_from_key INTEGER REFERENCES payment (key), converted_minor INTEGER NOT NULL DEFAULT 0, entry_key INTEGER, cost_minor INTEGER) STRICT;

CREATE INDEX payment_by_customer ON payment (customer_key, currency, received_on);

CREATE INDEX payment_unallocated ON payment (customer_key) WHERE unallocated_minor > 0;

CREATE TABLE profile (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE import (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('customers', 'invoices', 'payments')),
    profile TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('staging', 'applied', 'rejected')),
    started_at TEXT NOT NULL,
    finished_at TEXT,
    result TEXT
, options TEXT, run INTEGER NOT NULL DEFAULT 0, lease_until TEXT, checkpoint TEXT, file_hash TEXT) STRICT;

CREATE TABLE import_slice (
    import_key INTEGER NOT NULL REFERENCES import (key),
    slice INTEGER NOT NULL,
    customers TEXT NOT NULL,
    invoices TEXT NOT NULL,
    payments TEXT NOT NULL,
    PRIMARY KEY (import_key, slice)
) STRICT;

CREATE TABLE sweep_lease (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    owner TEXT NOT NULL,
    until_at TEXT NOT NULL
) STRICT;

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

CREATE TABLE score (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    as_of TEXT NOT NULL,
    score TEXT, -- a decimal
    score_order INTEGER NOT NULL, -- the score in tenths, 10000 when there is none
    grade TEXT CHECK (grade IN ('A', 'B', 'C', 'D', 'E')),
    grade_before TEXT CHECK (grade_before IN ('A', 'B', 'C', 'D', 'E')),
    model TEXT NOT NULL,
    facts TEXT NOT NULL -- the contract's facts as JSON: with the model they give the card again
, notch INTEGER, tier TEXT, notch_before INTEGER, notches INTEGER) STRICT;

CREATE INDEX score_by_order ON score (score_order, customer_key);

CREATE TABLE reminded (
    invoice_key INTEGER PRIMARY KEY REFERENCES invoice (key),
    level TEXT NOT NULL CHECK (level IN ('upcoming', 'due', 'first', 'second')),
    day TEXT NOT NULL
) STRICT;

CREATE TABLE notice (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    currency TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('upcoming', 'due', 'first', 'second')),
    day TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('en', 'zh-CN')),
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    total_minor INTEGER NOT NULL CHECK (total_minor > 0),
    because TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    attempts INTEGER NOT NULL,
    next_attempt_at TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX notice_once ON notice (customer_key, currency, level, day);

CREATE INDEX notice_by_day ON notice (day, key);

CREATE INDEX notice_to_deliver ON notice (next_attempt_at, key) WHERE state = 'queued';

CREATE TABLE notice_item (
    notice_key INTEGER NOT NULL REFERENCES notice (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    due_on TEXT NOT NULL,
    open_minor INTEGER NOT NULL,
    PRIMARY KEY (notice_key, invoice_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    key INTEGER PRIMARY KEY,
    notice_key INTEGER NOT NULL REFERENCES notice (key),
    tried_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT
) STRICT;

CREATE INDEX delivery_by_notice ON delivery (notice_key);

CREATE TABLE snapshot (
    day TEXT PRIMARY KEY,
    totals TEXT NOT NULL, -- the contract's ageing lines as JSON, edges 30, 60, 90
    customers_overdue INTEGER NOT NULL,
    alerts_open INTEGER NOT NULL,
    notices INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE INDEX customer_by_parent ON customer (parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX customer_by_merger ON customer (merged_key) WHERE merged_key IS NOT NULL;

CREATE TABLE customer_change (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    changed_on TEXT NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('contact', 'bank-account', 'representative', 'status')),
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

CREATE INDEX contract_version_with_interest ON contract_version (key) WHERE document ->> 'late_interest' IS NOT NULL;

CREATE UNIQUE INDEX contract_version_once ON contract_version (contract_key, version);

CREATE TABLE guarantee (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    contract_key INTEGER REFERENCES contract (key),
    kind TEXT NOT NULL CHECK (kind IN ('guarantor', 'pledge', 'deposit', 'insurance')),
    party TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    share TEXT NOT NULL, -- a decimal
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    claim_by TEXT
, entry_key INTEGER) STRICT;

CREATE INDEX guarantee_by_customer ON guarantee (customer_key);

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

CREATE TABLE policy (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    entry_key INTEGER
) STRICT;

CREATE INDEX invoice_by_parent ON invoice (parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX invoice_by_relation ON invoice (relates_key) WHERE relates_key IS NOT NULL;

CREATE INDEX payment_by_contract ON payment (contract_key) WHERE contract_key IS NOT NULL;

CREATE INDEX payment_by_origin ON payment (converted_from_key) WHERE converted_from_key IS NOT NULL;

CREATE TABLE reversal (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    payment_key INTEGER NOT NULL REFERENCES payment (key),
    reversed_on TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('chargeback', 'returned', 'refund', 'mistake')),
    minor INTEGER NOT NULL CHECK (minor > 0),
    reason TEXT,
    entry_key INTEGER
, undone_reason TEXT, undone_entry_key INTEGER, payment_name TEXT) STRICT;

CREATE INDEX reversal_by_payment ON reversal (payment_key);

CREATE INDEX reversal_by_customer ON reversal (customer_key);

CREATE TABLE adjustment (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, -- of the write-off or dispute, with the noun and a slash before it
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    booked_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    entry_key INTEGER
, until_on TEXT, difference TEXT NOT NULL DEFAULT 'write-off' CHECK (difference IN ('early-payment-discount', 'withholding', 'bank-charge', 'agreed', 'tolerance', 'full-settlement', 'write-off', 'dispute-upheld', 'voided'))) STRICT;

CREATE INDEX adjustment_by_customer ON adjustment (customer_key);

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
    reason TEXT NOT NULL CHECK (reason IN ('price', 'quantity', 'quality', 'delivery', 'paid-already', 'duplicate', 'other')),
    detail TEXT,
    evidence TEXT, -- the contract's attachments as JSON
    outcome TEXT CHECK (outcome IN ('upheld', 'partly-upheld', 'rejected', 'withdrawn')), -- null while it is open
    resolved_on TEXT,
    upheld_minor INTEGER,
    resolution TEXT,
    entry_key INTEGER,
    resolved_entry_key INTEGER, whole_key INTEGER REFERENCES dispute (key),
    CHECK ((outcome IS NULL) = (resolved_on IS NULL))
) STRICT;

CREATE INDEX dispute_by_customer ON dispute (customer_key);

CREATE INDEX dispute_by_invoice ON dispute (invoice_key);

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

CREATE INDEX accrual_by_end ON accrual (customer_key, until_on);

CREATE TABLE accrual_look (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key)
) STRICT;

CREATE TABLE "write_off" (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    invoice_key INTEGER NOT NULL REFERENCES invoice (key),
    booked_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'booked', 'refused', 'reversed')),
    asked_by TEXT NOT NULL,
    decided_by TEXT,
    reversed_on TEXT,
    reversed_by TEXT,
    reversal_reason TEXT, entry_key INTEGER, decided_entry_key INTEGER, reversed_entry_key INTEGER,
    CHECK ((reversed_on IS NOT NULL) = (state = 'reversed'))
) STRICT;

CREATE INDEX write_off_by_invoice ON write_off (invoice_key);

CREATE TABLE customer_former (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    parent_key INTEGER REFERENCES customer (key),
    document TEXT NOT NULL, -- the contract's new-customer as JSON
    until_on TEXT NOT NULL, -- the business date on which it was replaced
    entry_key INTEGER NOT NULL -- of the entry that replaced it
, replaced_on TEXT) STRICT;

CREATE INDEX customer_former_by_customer ON customer_former (customer_key, entry_key);

CREATE INDEX customer_former_by_parent ON customer_former (parent_key) WHERE parent_key IS NOT NULL;

CREATE TABLE guarantee_former (
    key INTEGER PRIMARY KEY,
    guarantee_key INTEGER NOT NULL REFERENCES guarantee (key),
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    contract_key INTEGER REFERENCES contract (key),
    document TEXT NOT NULL, -- the contract's guarantee as JSON
    entry_key INTEGER NOT NULL -- of the entry that replaced it
) STRICT;

CREATE INDEX guarantee_former_by_guarantee ON guarantee_former (guarantee_key, entry_key);

CREATE INDEX guarantee_former_by_customer ON guarantee_former (customer_key);

CREATE INDEX import_unfinished ON import (key) WHERE state = 'staging';

CREATE TABLE import_error (
    import_key INTEGER NOT NULL REFERENCES import (key),
    part INTEGER NOT NULL,
    errors TEXT NOT NULL,
    PRIMARY KEY (import_key, part)
) STRICT;

CREATE TABLE bank_import (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    result TEXT -- the contract's import-result as JSON, null while the file is read
) STRICT;

CREATE TABLE bank_slice (
    import_key INTEGER NOT NULL REFERENCES bank_import (key),
    slice INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (import_key, slice)
) STRICT;

CREATE TABLE bank_statement (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    statement_id TEXT NOT NULL,
    sequence TEXT,
    format TEXT NOT NULL CHECK (format IN ('camt053', 'mt940')),
    from_on TEXT,
    to_on TEXT NOT NULL,
    currency TEXT NOT NULL,
    opening_minor INTEGER NOT NULL,
    closing_minor INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    digest TEXT NOT NULL, -- SHA-256 of the statement and its entries, as they were read
    entry_key INTEGER, gap TEXT, first_on TEXT, own_account TEXT,
    UNIQUE (account, statement_id)
) STRICT;

CREATE INDEX customer_with_accounts ON customer (key) WHERE bank_accounts IS NOT NULL;

CREATE TABLE match_key (
    text TEXT NOT NULL,
    kind TEXT NOT NULL, -- number, part or name
    target_key INTEGER NOT NULL, -- of the invoice, or of name the customer
    PRIMARY KEY (text, kind, target_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX match_key_of_customer ON match_key (target_key) WHERE kind = 'name';

CREATE TABLE match_progress (
    noun TEXT PRIMARY KEY, -- invoice, customer or audit
    upto INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    key INTEGER PRIMARY KEY,
    entry_key INTEGER, -- null: something that the sweep found or a receiver took, which the rest says
    invoices_upto INTEGER NOT NULL,
    payments_upto INTEGER NOT NULL,
    allocations_upto INTEGER NOT NULL,
    customers_after INTEGER, -- of an import: the customers that it made
    customers_upto INTEGER,
    at TEXT,
    kind TEXT,
    customer_key INTEGER,
    subject TEXT,
    data TEXT -- the contract's event-data as JSON
) STRICT;

CREATE TABLE event_source (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL, -- the contract's new-source as JSON without the secret
    secret TEXT,
    previous_secret TEXT,
    previous_until TEXT
) STRICT;

CREATE TABLE inbound_event (
    key INTEGER PRIMARY KEY,
    source_key INTEGER NOT NULL REFERENCES event_source (key),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT, -- as it came, null after the retention or an erasure
    body_hash TEXT NOT NULL,
    received_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('applied', 'kept', 'refused')),
    makes TEXT CHECK (makes IN ('payment', 'payment-failed', 'refund', 'invoice', 'invoice-voided', 'mandate-cancelled', 'ignore')),
    customer_key INTEGER REFERENCES customer (key),
    made TEXT,
    code TEXT,
    detail TEXT
, tries INTEGER NOT NULL DEFAULT 0, tried_at TEXT, next_try_at TEXT, awaits TEXT, awaits_id TEXT) STRICT;

CREATE UNIQUE INDEX inbound_event_once ON inbound_event (source_key, id);

CREATE INDEX inbound_event_refused ON inbound_event (source_key, key) WHERE state = 'refused';

CREATE INDEX inbound_event_by_customer ON inbound_event (customer_key) WHERE customer_key IS NOT NULL;

CREATE INDEX inbound_event_with_body ON inbound_event (received_at) WHERE body IS NOT NULL;

CREATE TABLE customer_event (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    happened_on TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'payment-failed', 'refund', 'invoice', 'invoice-voided', 'mandate-cancelled', 'ignore')),
    subject TEXT,
    minor INTEGER,
    currency TEXT,
    reason TEXT,
    inbound_key INTEGER NOT NULL REFERENCES inbound_event (key),
    entry_key INTEGER
) STRICT;

CREATE INDEX customer_event_by_customer ON customer_event (customer_key, happened_on);

CREATE TABLE webhook (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL, -- a JSON array of patterns
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until TEXT,
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    paused_because TEXT,
    position TEXT NOT NULL
) STRICT;

CREATE TABLE webhook_event (
    key INTEGER PRIMARY KEY,
    webhook_key INTEGER NOT NULL REFERENCES webhook (key),
    event_id TEXT NOT NULL,
    customer_key INTEGER NOT NULL, -- 0: the event is no customer's
    body TEXT NOT NULL, -- the contract's event as JSON
    dead INTEGER NOT NULL CHECK (dead IN (0, 1)),
    attempts INTEGER NOT NULL,
    next_attempt_at TEXT NOT NULL,
    tried_at TEXT,
    error TEXT
) STRICT;

CREATE UNIQUE INDEX webhook_event_once ON webhook_event (webhook_key, event_id);

CREATE INDEX webhook_event_in_order ON webhook_event (webhook_key, customer_key, key);

CREATE INDEX webhook_event_due ON webhook_event (next_attempt_at, key) WHERE dead = 0;

CREATE TABLE external_fact (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN ('financials', 'external-scores', 'public-records')),
    name TEXT NOT NULL, -- the end of the period, the day and the source of a score, or the id of an entry
    happened_on TEXT NOT NULL,
    known_on TEXT NOT NULL CHECK (known_on >= happened_on),
    document TEXT NOT NULL, -- the record of the contract as JSON
    entry_key INTEGER,
    UNIQUE (customer_key, kind, name, known_on)
) STRICT;

CREATE INDEX invoice_instalment ON invoice (customer_key, parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX correction_by_relation ON correction (before ->> 'relates_to') WHERE before ->> 'relates_to' IS NOT NULL;

CREATE TABLE credit_refund (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    credit_key INTEGER NOT NULL REFERENCES invoice (key),
    refunded_on TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    reason TEXT,
    reversed_on TEXT,
    reversal_reason TEXT,
    entry_key INTEGER NOT NULL,
    reversed_entry_key INTEGER,
    CHECK ((reversed_on IS NULL) = (reversed_entry_key IS NULL))
) STRICT;

CREATE INDEX credit_refund_by_customer ON credit_refund (customer_key);

CREATE INDEX credit_refund_by_credit ON credit_refund (credit_key);

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

CREATE TABLE score_change (
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    as_of TEXT NOT NULL,
    score TEXT, -- a decimal
    grade TEXT CHECK (grade IN ('A', 'B', 'C', 'D', 'E')),
    notch INTEGER,
    tier TEXT,
    model TEXT NOT NULL,
    facts TEXT NOT NULL, -- as in the table score
    points TEXT NOT NULL, judged_at TEXT, tiers_key INTEGER REFERENCES tiers (key), -- what each indicator gave, as JSON by name
    PRIMARY KEY (customer_key, as_of)
) STRICT, WITHOUT ROWID;

CREATE TABLE score_outdated (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key)
, as_of TEXT, facts TEXT) STRICT;

CREATE TABLE tiers (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL, -- the contract tier-document as JSON
    entry_key INTEGER
) STRICT;

CREATE TABLE review (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    since_on TEXT NOT NULL, -- the first judgement with a grade
    reviewed_on TEXT,
    due_on TEXT, -- null: without a grade
    entry_key INTEGER
, proposed_for TEXT) STRICT;

CREATE INDEX review_due ON review (due_on, customer_key) WHERE due_on IS NOT NULL;

CREATE TABLE "bank_entry" (
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
    state TEXT NOT NULL CHECK (state IN ('automatic', 'review', 'confirmed', 'rejected', 'unmatched', 'already-booked')),
    rule TEXT NOT NULL,
    candidates TEXT NOT NULL, -- a list of the contract's candidates as JSON
    customer_key INTEGER REFERENCES customer (key),
    payment_key INTEGER REFERENCES payment (key),
    entry_key INTEGER,
    decided_entry_key INTEGER,
    repeats TEXT, -- the id of the entry that this one is or may be
    undone INTEGER NOT NULL DEFAULT 0 -- how often its payment was a mistake: the next one has another id
, instructed_minor INTEGER, ultimate_payer TEXT) STRICT;

CREATE INDEX bank_entry_by_state ON bank_entry (state, key) WHERE state <> 'automatic';

CREATE INDEX bank_entry_by_end_to_end ON bank_entry (end_to_end) WHERE minor > 0 AND end_to_end IS NOT NULL;

CREATE INDEX bank_entry_by_payer ON bank_entry (payer_account) WHERE customer_key IS NULL AND payer_account IS NOT NULL;

CREATE TABLE "payer_account" (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    taught_on TEXT NOT NULL,
    entry_key INTEGER NOT NULL,
    UNIQUE (account, customer_key)
) STRICT;

CREATE INDEX payer_account_by_customer ON payer_account (customer_key);

CREATE TABLE match_mask (
    mask TEXT NOT NULL,
    whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
    PRIMARY KEY (mask, whole)
) STRICT, WITHOUT ROWID;

CREATE INDEX inbound_event_to_try ON inbound_event (next_try_at, key) WHERE next_try_at IS NOT NULL;

CREATE TABLE alert_rule (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL, -- the contract's new-alert-rule as JSON
    entry_key INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    rule TEXT NOT NULL,
    version INTEGER NOT NULL, -- of the rule
    kind TEXT NOT NULL CHECK (kind IN ('first-overdue', 'grade-worse', 'limit-near', 'concentration', 'paying-worse', 'buying-more', 'party-changed', 'cover-ending', 'group-default', 'in-default', 'external-event', 'contested', 'promise-broken', 'other')),
    currency TEXT NOT NULL, -- empty where none is concerned
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'serious', 'critical')),
    owner TEXT,
    assigned INTEGER NOT NULL CHECK (assigned IN (0, 1)), -- by hand
    escalated INTEGER NOT NULL CHECK (escalated IN (0, 1)),
    snoozed_until TEXT, -- the last snooze
    opened_on TEXT NOT NULL,
    closed_on TEXT,
    closed_by TEXT,
    closed_because TEXT,
    ended_on TEXT, -- when the reason was gone, which may be after somebody closed it
    evidence TEXT NOT NULL, opened_severity TEXT CHECK (opened_severity IN ('info', 'warning', 'serious', 'critical')), opened_owner TEXT, basis TEXT, ending TEXT, behind_rule TEXT, behind_currency TEXT, -- the contract's evidence as JSON
    CHECK (ended_on IS NULL OR closed_on IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX alert_there ON alert (customer_key, rule, currency) WHERE ended_on IS NULL;

CREATE INDEX alert_by_day ON alert (opened_on, key);

CREATE INDEX alert_by_customer ON alert (customer_key, opened_on, key);

CREATE INDEX alert_open ON alert (customer_key) WHERE closed_on IS NULL;

CREATE INDEX alert_grave ON alert (customer_key) WHERE closed_on IS NULL AND severity IN ('serious', 'critical');

CREATE TABLE alert_action (
    key INTEGER PRIMARY KEY,
    alert_key INTEGER NOT NULL REFERENCES alert (key),
    day TEXT NOT NULL,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('snooze', 'close', 'assign', 'escalate')),
    reason TEXT,
    until_on TEXT,
    owner TEXT,
    severity TEXT CHECK (severity IN ('info', 'warning', 'serious', 'critical')),
    entry_key INTEGER -- null: the sweep did it
) STRICT;

CREATE INDEX alert_action_by_alert ON alert_action (alert_key, key);

CREATE TABLE alert_waiting (
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    rule TEXT NOT NULL,
    currency TEXT NOT NULL, -- empty where none is concerned
    since_on TEXT NOT NULL,
    PRIMARY KEY (customer_key, rule, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_sample (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    samples TEXT NOT NULL -- days and facts as JSON, oldest first
) STRICT;

CREATE TABLE alert_progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position TEXT NOT NULL
) STRICT;

CREATE TABLE watch (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    reason TEXT NOT NULL,
    from_on TEXT NOT NULL,
    until_on TEXT,
    ended_on TEXT,
    entry_key INTEGER NOT NULL,
    ended_entry_key INTEGER
) STRICT;

CREATE UNIQUE INDEX watch_current ON watch (customer_key) WHERE ended_on IS NULL;

CREATE INDEX watch_by_customer ON watch (customer_key, key);

CREATE TABLE credit_limit (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN ('individual', 'group', 'temporary')),
    minor INTEGER NOT NULL CHECK (minor >= 0),
    currency TEXT NOT NULL,
    from_on TEXT NOT NULL,
    to_on TEXT CHECK (to_on >= from_on),
    unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
    mandatory INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    reason TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused')),
    source TEXT NOT NULL CHECK (source IN ('key', 'review', 'alert')),
    asked_by TEXT NOT NULL,
    decided_by TEXT,
    counts_key INTEGER,
    entry_key INTEGER NOT NULL, decided_entry_key INTEGER,
    CHECK ((counts_key IS NOT NULL) = (state = 'approved'))
) STRICT;

CREATE INDEX credit_limit_by_customer ON credit_limit (customer_key, counts_key);

CREATE INDEX credit_limit_pending ON credit_limit (key) WHERE state = 'pending';

CREATE TABLE credit_order (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    delivered_minor INTEGER NOT NULL CHECK (delivered_minor >= 0),
    invoiced_minor INTEGER NOT NULL CHECK (invoiced_minor >= 0),
    cancelled_minor INTEGER NOT NULL CHECK (cancelled_minor >= 0),
    undelivered_minor INTEGER NOT NULL CHECK (undelivered_minor >= 0),
    unbilled_minor INTEGER NOT NULL CHECK (unbilled_minor >= 0),
    from_on TEXT NOT NULL,
    until_on TEXT NOT NULL CHECK (until_on >= from_on),
    entry_key INTEGER NOT NULL
, version INTEGER) STRICT;

CREATE UNIQUE INDEX credit_order_now ON credit_order (id) WHERE until_on = '9999-12-31';

CREATE INDEX credit_order_by_id ON credit_order (id, until_on);

CREATE INDEX credit_order_by_customer ON credit_order (customer_key);

CREATE INDEX credit_order_counting ON credit_order (customer_key, until_on)
    WHERE undelivered_minor > 0 OR unbilled_minor > 0;

CREATE TABLE credit_reservation (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    minor INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT NOT NULL,
    order_id TEXT,
    made_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    until_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'committed', 'released', 'expired')), -- an expired one still reads held
    entry_key INTEGER NOT NULL
, ended_entry_key INTEGER, purpose TEXT CHECK (purpose IN ('order', 'delivery', 'invoice', 'contract')), terms_days INTEGER, check_id TEXT, hold_id TEXT) STRICT;

CREATE INDEX credit_reservation_counting ON credit_reservation (customer_key, until_at);

CREATE TABLE credit_rule (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    customer_key INTEGER REFERENCES customer (key),
    group_key INTEGER REFERENCES customer (key), -- the head
    document TEXT NOT NULL, -- the new-rule of the contract as JSON
    replaced INTEGER NOT NULL CHECK (replaced IN (0, 1)),
    entry_key INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX credit_rule_now ON credit_rule (name) WHERE replaced = 0;

CREATE INDEX credit_rule_of_customer ON credit_rule (customer_key) WHERE replaced = 0 AND customer_key IS NOT NULL;

CREATE INDEX credit_rule_of_group ON credit_rule (group_key) WHERE replaced = 0 AND group_key IS NOT NULL;

CREATE INDEX credit_rule_of_all ON credit_rule (key)
    WHERE replaced = 0 AND customer_key IS NULL AND group_key IS NULL;

CREATE TABLE credit_check (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    at TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'warn', 'hold', 'forced-hold')),
    hold_id TEXT,
    inputs TEXT NOT NULL -- what the judgement rested on as JSON
) STRICT;

CREATE TABLE credit_hold (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    order_id TEXT, -- null: all orders of the customer
    minor INTEGER, -- null: placed by hand
    currency TEXT,
    purpose TEXT CHECK (purpose IN ('order', 'delivery', 'invoice', 'contract')),
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'warn', 'hold', 'forced-hold')),
    rules TEXT NOT NULL, -- names as a JSON array
    reason TEXT,
    opened_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'released', 'cleared')),
    closed_at TEXT,
    released_by TEXT,
    release_reason TEXT,
    released_until TEXT,
    entry_key INTEGER NOT NULL,
    closed_entry_key INTEGER, terms_days INTEGER, base_minor INTEGER NOT NULL DEFAULT 0, reasons TEXT, followed_at TEXT,
    CHECK ((closed_at IS NULL) = (state = 'held'))
) STRICT;

CREATE UNIQUE INDEX credit_hold_of_order ON credit_hold (customer_key, order_id)
    WHERE state = 'held' AND minor IS NOT NULL;

CREATE INDEX credit_hold_by_customer ON credit_hold (customer_key);

CREATE INDEX credit_hold_standing ON credit_hold (customer_key) WHERE state = 'held';

CREATE INDEX credit_hold_released ON credit_hold (customer_key, released_until) WHERE released_until IS NOT NULL;

CREATE INDEX credit_hold_by_state ON credit_hold (state, key);

CREATE TABLE limit_policy (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL, -- the limit-policy of the contract as JSON
    entry_key INTEGER NOT NULL
) STRICT;

CREATE INDEX inbound_event_awaits ON inbound_event (awaits, awaits_id, key) WHERE awaits IS NOT NULL;

CREATE TABLE "default_record" (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    contract_key INTEGER REFERENCES contract (key),
    invoice_key INTEGER REFERENCES invoice (key),
    amount_minor INTEGER,
    currency TEXT,
    found_on TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('late-payment', 'refused', 'broken-plan', 'breach-of-contract', 'legal-action')),
    reason TEXT NOT NULL,
    evidence TEXT, -- the contract's attachments as JSON
    by_rule INTEGER NOT NULL CHECK (by_rule IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('open', 'cured', 'withdrawn')),
    closed_on TEXT,
    cured_by_key INTEGER REFERENCES payment (key),
    entry_key INTEGER,
    closed_entry_key INTEGER, rests_on_key INTEGER REFERENCES default_record (key),
    CHECK ((closed_on IS NULL) = (state = 'open'))
) STRICT;

CREATE INDEX default_record_by_customer ON default_record (customer_key);

CREATE UNIQUE INDEX default_record_open_by_rule ON default_record (customer_key, currency)
    WHERE state = 'open' AND by_rule = 1;

CREATE TABLE pause_former (
    pause_key INTEGER NOT NULL REFERENCES pause (key),
    resumed_on TEXT, -- null: it was said that it had not ended
    entry_key INTEGER NOT NULL,
    PRIMARY KEY (pause_key, entry_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE "allocation" (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER REFERENCES invoice (key), -- null: the money went back
    payment_key INTEGER REFERENCES payment (key),
    credit_key INTEGER REFERENCES invoice (key),
    adjustment_key INTEGER REFERENCES adjustment (key),
    difference_key INTEGER REFERENCES payment (key), -- the payment that earned a difference
    difference TEXT CHECK (difference IS NULL OR difference IN ('early-payment-discount', 'withholding', 'bank-charge', 'agreed', 'tolerance', 'full-settlement', 'write-off', 'dispute-upheld', 'voided')),
    allocated_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    recorded_at TEXT NOT NULL,
    entry_key INTEGER,
    CHECK ((payment_key IS NOT NULL) + (credit_key IS NOT NULL) + (adjustment_key IS NOT NULL)
        + (difference_key IS NOT NULL) = 1),
    CHECK (coalesce(invoice_key, payment_key, credit_key) IS NOT NULL)
) STRICT;

CREATE INDEX allocation_by_customer
    ON allocation (customer_key, invoice_key, allocated_on, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_day ON allocation (allocated_on, invoice_key, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_adjustment ON allocation (adjustment_key) WHERE adjustment_key IS NOT NULL;

CREATE INDEX audit_by_subject ON audit (id, noun);

CREATE INDEX credit_hold_run_out ON credit_hold (released_until)
    WHERE released_until IS NOT NULL AND followed_at IS NULL;

CREATE TABLE credit_hold_former (
    key INTEGER PRIMARY KEY,
    hold_key INTEGER NOT NULL REFERENCES credit_hold (key),
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    purpose TEXT CHECK (purpose IN ('order', 'delivery', 'invoice', 'contract')),
    terms_days INTEGER,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'warn', 'hold', 'forced-hold')),
    rules TEXT NOT NULL, -- names as a JSON array
    changed_at TEXT NOT NULL,
    entry_key INTEGER NOT NULL -- of the change
) STRICT;

CREATE INDEX credit_hold_former_by_hold ON credit_hold_former (hold_key, key);

CREATE TABLE dispute_former (
    dispute_key INTEGER NOT NULL REFERENCES dispute (key),
    outcome TEXT CHECK (outcome IN ('upheld', 'partly-upheld', 'rejected', 'withdrawn')), -- null: it was said that nothing was decided
    resolved_on TEXT,
    upheld_minor INTEGER,
    resolution TEXT,
    entry_key INTEGER NOT NULL,
    until_entry_key INTEGER NOT NULL, minor INTEGER,
    PRIMARY KEY (dispute_key, until_entry_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE default_former (
    default_key INTEGER NOT NULL REFERENCES default_record (key),
    state TEXT NOT NULL CHECK (state IN ('open', 'cured', 'withdrawn')),
    closed_on TEXT, -- null: it was said that it was not over
    cured_by_key INTEGER REFERENCES payment (key),
    entry_key INTEGER NOT NULL,
    until_entry_key INTEGER NOT NULL,
    PRIMARY KEY (default_key, until_entry_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX dispute_by_whole ON dispute (whole_key) WHERE whole_key IS NOT NULL;

CREATE TABLE payment_name (
    id TEXT PRIMARY KEY,
    payment_key INTEGER NOT NULL REFERENCES payment (key),
    received_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    entry_key INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_name_by_payment ON payment_name (payment_key);

CREATE INDEX bank_statement_by_own_account ON bank_statement (own_account, to_on);

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

CREATE TABLE match_again (
    document_key INTEGER PRIMARY KEY REFERENCES invoice (key)
) STRICT;

CREATE TABLE retention (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL, -- the contract's retention-policy as JSON
    entry_key INTEGER
) STRICT;

CREATE TABLE "sweep" (
    business_date TEXT PRIMARY KEY,
    stage TEXT NOT NULL CHECK (stage IN ('accrue', 'age', 'judge', 'score', 'warn', 'remind', 'deliver', 'erase', 'snapshot')),
    cursor INTEGER NOT NULL, -- the last customer or notice done in this stage
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    counts TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    invoices_upto INTEGER NOT NULL DEFAULT 0, -- the last invoice
    policy_key INTEGER NOT NULL DEFAULT 0 -- the policy in force
) STRICT, WITHOUT ROWID;

CREATE TABLE default_taken_back (
    key INTEGER PRIMARY KEY,
    default_key INTEGER NOT NULL REFERENCES default_record (key),
    invoice_key INTEGER REFERENCES invoice (key),
    other_key INTEGER REFERENCES default_record (key),
    CHECK ((invoice_key IS NULL) <> (other_key IS NULL))
) STRICT;

CREATE INDEX default_taken_back_by_default ON default_taken_back (default_key);

CREATE INDEX allocation_credited ON allocation (customer_key, invoice_key, allocated_on, amount_minor, credit_key)
    WHERE credit_key IS NOT NULL;

CREATE INDEX alert_of_group ON alert (customer_key) WHERE ended_on IS NULL AND kind = 'group-default';

CREATE TABLE payment_name_former (
    id TEXT NOT NULL,
    payment_key INTEGER NOT NULL REFERENCES payment (key),
    entry_key INTEGER,
    until_entry_key INTEGER NOT NULL,
    PRIMARY KEY (id, until_entry_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_name_former_by_payment ON payment_name_former (payment_key);

CREATE INDEX allocation_settled ON allocation (customer_key, difference_key, invoice_key, allocated_on, amount_minor)
    WHERE difference = 'full-settlement';

CREATE TABLE credit_ready (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    as_of TEXT NOT NULL,
    until_at TEXT NOT NULL,
    generation INTEGER NOT NULL,
    currency TEXT,
    room_minor INTEGER,
    total_minor INTEGER, entries_upto INTEGER NOT NULL DEFAULT 0,
    CHECK ((currency IS NULL) = (room_minor IS NULL) AND (currency IS NULL) = (total_minor IS NULL))
) STRICT;

CREATE TABLE credit_told (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    bound TEXT,
    exposure TEXT NOT NULL
) STRICT;

CREATE TABLE credit_generation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;

CREATE TRIGGER ready_credit_rule_new AFTER INSERT ON credit_rule BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_credit_rule_other AFTER UPDATE ON credit_rule BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_credit_rule_gone AFTER DELETE ON credit_rule BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_limit_policy_new AFTER INSERT ON limit_policy BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_limit_policy_other AFTER UPDATE ON limit_policy BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_limit_policy_gone AFTER DELETE ON limit_policy BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_policy_new AFTER INSERT ON policy BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_policy_other AFTER UPDATE ON policy BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_policy_gone AFTER DELETE ON policy BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_organisation_new AFTER INSERT ON organisation BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_organisation_other AFTER UPDATE ON organisation BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_organisation_gone AFTER DELETE ON organisation BEGIN
    UPDATE credit_generation SET number = number + 1;
END;

CREATE TRIGGER ready_customer_new AFTER INSERT ON customer WHEN NEW.parent_key IS NOT NULL BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.parent_key;
END;

CREATE TRIGGER ready_customer_other AFTER UPDATE ON customer BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (NEW.key, OLD.parent_key, NEW.parent_key);
    DELETE FROM credit_told WHERE customer_key = NEW.key;
END;

CREATE TRIGGER ready_credit_limit_new AFTER INSERT ON credit_limit BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.customer_key;
END;

CREATE TRIGGER ready_credit_limit_other AFTER UPDATE ON credit_limit BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (OLD.customer_key, NEW.customer_key);
END;

CREATE TRIGGER ready_credit_limit_gone AFTER DELETE ON credit_limit BEGIN
    DELETE FROM credit_ready WHERE customer_key = OLD.customer_key;
END;

CREATE TRIGGER ready_credit_order_new AFTER INSERT ON credit_order BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.customer_key;
END;

CREATE TRIGGER ready_credit_order_other AFTER UPDATE ON credit_order BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (OLD.customer_key, NEW.customer_key);
END;

CREATE TRIGGER ready_credit_order_gone AFTER DELETE ON credit_order BEGIN
    DELETE FROM credit_ready WHERE customer_key = OLD.customer_key;
END;

CREATE TRIGGER ready_credit_reservation_other AFTER UPDATE ON credit_reservation BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (OLD.customer_key, NEW.customer_key);
END;

CREATE TRIGGER ready_credit_reservation_gone AFTER DELETE ON credit_reservation BEGIN
    DELETE FROM credit_ready WHERE customer_key = OLD.customer_key;
END;

CREATE TRIGGER ready_credit_hold_new AFTER INSERT ON credit_hold BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.customer_key;
END;

CREATE TRIGGER ready_credit_hold_other AFTER UPDATE ON credit_hold BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (OLD.customer_key, NEW.customer_key);
END;

CREATE TRIGGER ready_credit_hold_gone AFTER DELETE ON credit_hold BEGIN
    DELETE FROM credit_ready WHERE customer_key = OLD.customer_key;
END;

CREATE TRIGGER ready_guarantee_new AFTER INSERT ON guarantee BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.customer_key;
END;

CREATE TRIGGER ready_guarantee_other AFTER UPDATE ON guarantee BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (OLD.customer_key, NEW.customer_key);
END;

CREATE TRIGGER ready_guarantee_gone AFTER DELETE ON guarantee BEGIN
    DELETE FROM credit_ready WHERE customer_key = OLD.customer_key;
END;

CREATE TRIGGER ready_default_record_new AFTER INSERT ON default_record BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.customer_key;
END;

CREATE TRIGGER ready_default_record_other AFTER UPDATE ON default_record BEGIN
    DELETE FROM credit_ready WHERE customer_key IN (OLD.customer_key, NEW.customer_key);
END;

CREATE TRIGGER ready_default_record_gone AFTER DELETE ON default_record BEGIN
    DELETE FROM credit_ready WHERE customer_key = OLD.customer_key;
END;

CREATE INDEX credit_check_not_passed ON credit_check (verdict, key) WHERE verdict <> 'pass';

CREATE INDEX credit_reservation_by_order ON credit_reservation (order_id, key) WHERE order_id IS NOT NULL;

CREATE INDEX credit_reservation_held ON credit_reservation (until_at) WHERE state = 'held';

CREATE TABLE credit_check_filed (
    customer_key INTEGER NOT NULL,
    check_key INTEGER NOT NULL,
    PRIMARY KEY (customer_key, check_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE credit_filing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    upto_key INTEGER NOT NULL
) STRICT;

CREATE INDEX credit_hold_by_order ON credit_hold (order_id, key) WHERE order_id IS NOT NULL;
