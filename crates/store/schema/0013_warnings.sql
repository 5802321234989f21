-- Warnings by rules that are documents, what is done about them, and who is watched.

-- Rules of one's own, and changes of those that ship. The last version of a name is in force.
CREATE TABLE alert_rule (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL, -- the contract's new-alert-rule as JSON
    entry_key INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

ALTER TABLE alert RENAME TO alert_former;

-- Warnings. Opened once for a customer, rule and currency; ended when the reason is gone.
CREATE TABLE alert (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    rule TEXT NOT NULL,
    version INTEGER NOT NULL, -- of the rule
    kind TEXT NOT NULL CHECK (kind IN (<alert-kind>)),
    currency TEXT NOT NULL, -- empty where none is concerned
    severity TEXT NOT NULL CHECK (severity IN (<severity>)),
    owner TEXT,
    assigned INTEGER NOT NULL CHECK (assigned IN (0, 1)), -- by hand
    escalated INTEGER NOT NULL CHECK (escalated IN (0, 1)),
    snoozed_until TEXT, -- the last snooze
    opened_on TEXT NOT NULL,
    closed_on TEXT,
    closed_by TEXT,
    closed_because TEXT,
    ended_on TEXT, -- when the reason was gone, which may be after somebody closed it
    evidence TEXT NOT NULL, -- the contract's evidence as JSON
    CHECK (ended_on IS NULL OR closed_on IS NOT NULL)
) STRICT;

INSERT INTO alert
    (key, id, customer_key, rule, version, kind, currency, severity, assigned, escalated, opened_on, closed_on,
     closed_by, ended_on, evidence)
SELECT
    key, id, customer_key, kind, 1, kind, currency,
    CASE WHEN kind IN ('first-overdue', 'grade-worse') THEN 'info' ELSE 'warning' END, 0, 0, opened_on, closed_on,
    CASE WHEN closed_on IS NOT NULL THEN 'sweep' END, closed_on, evidence
FROM alert_former;

DROP TABLE alert_former;

CREATE UNIQUE INDEX alert_there ON alert (customer_key, rule, currency) WHERE ended_on IS NULL;

CREATE INDEX alert_by_day ON alert (opened_on, key);

CREATE INDEX alert_by_customer ON alert (customer_key, opened_on, key);

CREATE INDEX alert_open ON alert (customer_key) WHERE closed_on IS NULL;

CREATE INDEX alert_grave ON alert (customer_key) WHERE closed_on IS NULL AND severity IN ('serious', 'critical');

-- What was done about an alert. Only ever added to.
CREATE TABLE alert_action (
    key INTEGER PRIMARY KEY,
    alert_key INTEGER NOT NULL REFERENCES alert (key),
    day TEXT NOT NULL,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN (<alert-action-kind>)),
    reason TEXT,
    until_on TEXT,
    owner TEXT,
    severity TEXT CHECK (severity IN (<severity>)),
    entry_key INTEGER -- null: the sweep did it
) STRICT;

CREATE INDEX alert_action_by_alert ON alert_action (alert_key, key);

-- Rules whose terms hold, but not yet for as long as the rule wants.
CREATE TABLE alert_waiting (
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    rule TEXT NOT NULL,
    currency TEXT NOT NULL, -- empty where none is concerned
    since_on TEXT NOT NULL,
    PRIMARY KEY (customer_key, rule, currency)
) STRICT, WITHOUT ROWID;

-- What was known of a customer every four weeks of a year, as far as rules compare with it.
CREATE TABLE fact_sample (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    samples TEXT NOT NULL -- days and facts as JSON, oldest first
) STRICT;

-- Up to where in the order of events customers were judged anew between sweeps.
CREATE TABLE alert_progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position TEXT NOT NULL
) STRICT;

-- Customers that somebody wants watched.
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
