-- Credit: how much a customer may owe, what counts towards it, and what was decided.

-- Limits as they were asked for. Nothing is changed but the decision of a second key. counts_key orders those that
-- count: the audit entry from which a row does, null while it waits and after it was turned down.
CREATE TABLE credit_limit (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    kind TEXT NOT NULL CHECK (kind IN (<limit-kind>)),
    minor INTEGER NOT NULL CHECK (minor >= 0),
    currency TEXT NOT NULL,
    from_on TEXT NOT NULL,
    to_on TEXT CHECK (to_on >= from_on),
    unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
    mandatory INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    reason TEXT,
    state TEXT NOT NULL CHECK (state IN (<limit-state>)),
    source TEXT NOT NULL CHECK (source IN (<limit-source>)),
    asked_by TEXT NOT NULL,
    decided_by TEXT,
    counts_key INTEGER,
    entry_key INTEGER NOT NULL,
    CHECK ((counts_key IS NOT NULL) = (state = 'approved'))
) STRICT;

CREATE INDEX credit_limit_by_customer ON credit_limit (customer_key, counts_key);

CREATE INDEX credit_limit_pending ON credit_limit (key) WHERE state = 'pending';

-- How an order stood from one day to another, the last one excluded, a row each time it was written. The row that
-- stands ends on 9999-12-31. What counts is stored beside what it follows from.
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
) STRICT;

CREATE UNIQUE INDEX credit_order_now ON credit_order (id) WHERE until_on = '9999-12-31';

CREATE INDEX credit_order_by_id ON credit_order (id, until_on);

CREATE INDEX credit_order_by_customer ON credit_order (customer_key);

CREATE INDEX credit_order_counting ON credit_order (customer_key, until_on)
    WHERE undelivered_minor > 0 OR unbilled_minor > 0;

-- Amounts that are kept free. until_at is when a reservation ends by itself, and from its end on when it ended.
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
    state TEXT NOT NULL CHECK (state IN (<reservation-state>)), -- an expired one still reads held
    entry_key INTEGER NOT NULL
) STRICT;

CREATE INDEX credit_reservation_counting ON credit_reservation (customer_key, until_at);

-- Rules, a row each time one was written. The row that stands is not replaced.
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

-- Checks that were asked, with all they rested on: judged again they give the same answer.
CREATE TABLE credit_check (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    at TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN (<verdict>)),
    hold_id TEXT,
    inputs TEXT NOT NULL -- what the judgement rested on as JSON
) STRICT;

CREATE INDEX credit_check_by_customer ON credit_check (customer_key, key);

-- Orders, or customers, that wait.
CREATE TABLE credit_hold (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    order_id TEXT, -- null: all orders of the customer
    minor INTEGER, -- null: placed by hand
    currency TEXT,
    purpose TEXT CHECK (purpose IN (<check-purpose>)),
    verdict TEXT NOT NULL CHECK (verdict IN (<verdict>)),
    rules TEXT NOT NULL, -- names as a JSON array
    reason TEXT,
    opened_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (<hold-state>)),
    closed_at TEXT,
    released_by TEXT,
    release_reason TEXT,
    released_until TEXT,
    entry_key INTEGER NOT NULL,
    closed_entry_key INTEGER,
    CHECK ((closed_at IS NULL) = (state = 'held'))
) STRICT;

CREATE UNIQUE INDEX credit_hold_of_order ON credit_hold (customer_key, order_id)
    WHERE state = 'held' AND minor IS NOT NULL;

CREATE INDEX credit_hold_by_customer ON credit_hold (customer_key);

CREATE INDEX credit_hold_standing ON credit_hold (customer_key) WHERE state = 'held';

CREATE INDEX credit_hold_released ON credit_hold (customer_key, released_until) WHERE released_until IS NOT NULL;

CREATE INDEX credit_hold_by_state ON credit_hold (state, key);

-- Versions of the document that says how limits are proposed.
CREATE TABLE limit_policy (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL, -- the limit-policy of the contract as JSON
    entry_key INTEGER NOT NULL
) STRICT;
