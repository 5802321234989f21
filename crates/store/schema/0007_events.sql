-- Events in and out: sources and what they sent, the order of everything that happened, and webhooks.

-- What happened, in one order. A row does not repeat what the ledger has: of a change in the audit chain it names the
-- entry, and up to which key documents, payments and allocations were recorded before. What lies between that and the
-- next row was recorded by the change, because writers wait for each other. An import of a million documents is a row.
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

-- Who sends events. HMAC needs the secret itself, not a hash of it.
CREATE TABLE event_source (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL, -- the contract's new-source as JSON without the secret
    secret TEXT,
    previous_secret TEXT,
    previous_until TEXT
) STRICT;

-- Events that came in.
CREATE TABLE inbound_event (
    key INTEGER PRIMARY KEY,
    source_key INTEGER NOT NULL REFERENCES event_source (key),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT, -- as it came, null after the retention or an erasure
    body_hash TEXT NOT NULL,
    received_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (<inbound-state>)),
    makes TEXT CHECK (makes IN (<event-action>)),
    customer_key INTEGER REFERENCES customer (key),
    made TEXT,
    code TEXT,
    detail TEXT
) STRICT;

CREATE UNIQUE INDEX inbound_event_once ON inbound_event (source_key, id);

CREATE INDEX inbound_event_refused ON inbound_event (source_key, key) WHERE state = 'refused';

CREATE INDEX inbound_event_by_customer ON inbound_event (customer_key) WHERE customer_key IS NOT NULL;

CREATE INDEX inbound_event_with_body ON inbound_event (received_at) WHERE body IS NOT NULL;

-- What is known of customers from outside and is neither document nor money: payments that failed, mandates that ended.
CREATE TABLE customer_event (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    happened_on TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (<event-action>)),
    subject TEXT,
    minor INTEGER,
    currency TEXT,
    reason TEXT,
    inbound_key INTEGER NOT NULL REFERENCES inbound_event (key),
    entry_key INTEGER
) STRICT;

CREATE INDEX customer_event_by_customer ON customer_event (customer_key, happened_on);

-- Who is told what happens, and how far in the order of events it was taken up.
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

-- Events on their way to a webhook, gone when they were taken. The next of a customer waits for the one before.
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
