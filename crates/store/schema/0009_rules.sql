-- What documents were about before a correction: a read of an earlier moment looks for them by it.

CREATE INDEX correction_by_relation ON correction (before ->> 'relates_to') WHERE before ->> 'relates_to' IS NOT NULL;

-- Money that a standing credit was paid out with. It counts until the day on which it is taken back.
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

-- What goes back to the customer may come from a credit note too. Rows are still only added.
CREATE TABLE allocation_wide (
    key INTEGER PRIMARY KEY,
    customer_key INTEGER NOT NULL REFERENCES customer (key),
    invoice_key INTEGER REFERENCES invoice (key), -- null: the money went back
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
    CHECK (coalesce(invoice_key, payment_key, credit_key) IS NOT NULL)
) STRICT;

INSERT INTO allocation_wide
    (key, customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on,
     amount_minor, recorded_at, entry_key)
SELECT
    key, customer_key, invoice_key, payment_key, credit_key, adjustment_key, difference_key, difference, allocated_on,
    amount_minor, recorded_at, entry_key
FROM allocation;

DROP TABLE allocation;

ALTER TABLE allocation_wide RENAME TO allocation;

CREATE INDEX allocation_by_customer
    ON allocation (customer_key, invoice_key, allocated_on, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_day ON allocation (allocated_on, invoice_key, amount_minor, payment_key, credit_key);

CREATE INDEX allocation_by_adjustment ON allocation (adjustment_key) WHERE adjustment_key IS NOT NULL;
