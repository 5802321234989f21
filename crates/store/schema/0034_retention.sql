-- How long the personal fields of a closed customer are kept: versions of one document. The sweep has a stage for it.
CREATE TABLE retention (
    key INTEGER PRIMARY KEY,
    document TEXT NOT NULL, -- the contract's retention-policy as JSON
    entry_key INTEGER
) STRICT;

CREATE TABLE sweep_erasing (
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

INSERT INTO sweep_erasing (
    business_date, stage, cursor, done, counts, started_at, finished_at, invoices_upto, policy_key
)
SELECT
    business_date, stage, cursor, done, json_set(counts, '$.erased', 0), started_at, finished_at, invoices_upto, policy_key
FROM sweep;

DROP TABLE sweep;

ALTER TABLE sweep_erasing RENAME TO sweep;
