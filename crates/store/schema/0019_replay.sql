-- A list in a CHECK is built anew for every row that is written, also where there is nothing to look up: a fifth of what
-- a row of allocations took. Most have no difference, and for these it is left out.
CREATE TABLE allocation_checked (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER REFERENCES invoice (key), -- null: the money went back
    payment_key INTEGER REFERENCES payment (key),
    credit_key INTEGER REFERENCES invoice (key),
    adjustment_key INTEGER REFERENCES adjustment (key),
    difference_key INTEGER REFERENCES payment (key), -- the payment that earned a difference
    difference TEXT CHECK (difference IS NULL OR difference IN (<difference>)),
    allocated_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    recorded_at TEXT NOT NULL,
    entry_key INTEGER,
    CHECK ((payment_key IS NOT NULL) + (credit_key IS NOT NULL) + (adjustment_key IS NOT NULL)
        + (difference_key IS NOT NULL) = 1),
    CHECK (coalesce(invoice_key, payment_key, credit_key) IS NOT NULL)
) STRICT;

INSERT INTO allocation_checked
    (key, customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on,
     amount_minor, recorded_at, entry_key)
SELECT
    key, customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on,
    amount_minor, recorded_at, entry_key
FROM allocation;

DROP TABLE allocation;

ALTER TABLE allocation_checked RENAME TO allocation;

CREATE INDEX allocation_by_customer
    ON allocation (customer_key, invoice_key, allocated_on, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_day ON allocation (allocated_on, invoice_key, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_adjustment ON allocation (adjustment_key) WHERE adjustment_key IS NOT NULL;
