-- What was known when: the entries of the audit chain that the first tables of the ledger did not keep, and records as
-- they read before they were replaced. Where the chain names a row, it is filled from there. Null counts as known from
-- the beginning.
ALTER TABLE write_off ADD COLUMN entry_key INTEGER;
ALTER TABLE write_off ADD COLUMN decided_entry_key INTEGER;
ALTER TABLE write_off ADD COLUMN reversed_entry_key INTEGER;
ALTER TABLE customer ADD COLUMN entry_key INTEGER;
ALTER TABLE guarantee ADD COLUMN entry_key INTEGER;

-- Of a fee: whether it is a penalty rather than a cost.
ALTER TABLE invoice ADD COLUMN penalty INTEGER NOT NULL DEFAULT 0 CHECK (penalty IN (0, 1));

UPDATE write_off SET entry_key = a.key
FROM (SELECT id, min(key) AS key FROM audit WHERE noun = 'write_off' AND action = 'create' GROUP BY id) AS a
WHERE a.id = write_off.id;

UPDATE write_off SET decided_entry_key = a.key
FROM (SELECT id, min(key) AS key FROM audit WHERE noun = 'write_off' AND action = 'decide' GROUP BY id) AS a
WHERE a.id = write_off.id AND write_off.decided_by IS NOT NULL;

UPDATE write_off SET reversed_entry_key = a.key
FROM (SELECT id, min(key) AS key FROM audit WHERE noun = 'write_off' AND action = 'reverse' GROUP BY id) AS a
WHERE a.id = write_off.id AND write_off.reversed_on IS NOT NULL;

UPDATE customer SET entry_key = a.key
FROM (SELECT id, min(key) AS key FROM audit WHERE noun = 'customer' AND action = 'create' GROUP BY id) AS a
WHERE a.id = customer.id;

UPDATE guarantee SET entry_key = a.key
FROM (SELECT id, min(key) AS key FROM audit WHERE noun = 'guarantee' AND action = 'create' GROUP BY id) AS a
WHERE a.id = guarantee.id;

-- A customer's record as it read until it was replaced.
CREATE TABLE customer_former (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    parent_key INTEGER REFERENCES customer (key),
    document TEXT NOT NULL, -- the contract's new-customer as JSON
    until_on TEXT NOT NULL, -- the business date on which it was replaced
    entry_key INTEGER NOT NULL -- of the entry that replaced it
) STRICT;

CREATE INDEX customer_former_by_customer ON customer_former (customer_key, entry_key);

CREATE INDEX customer_former_by_parent ON customer_former (parent_key) WHERE parent_key IS NOT NULL;

-- A guarantee as it read until it was replaced.
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
