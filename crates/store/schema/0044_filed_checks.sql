-- The checks of a customer. An index would have every check write a page of its own, somewhere else than the one before;
-- the minute's run files them in its place, many at a time. Who asks reads those that were filed, and goes through the
-- last ones besides. A customer is not named as one that must be there: checks, which are filed, do that.
CREATE TABLE credit_check_filed (
    customer_key INTEGER NOT NULL,
    check_key INTEGER NOT NULL,
    PRIMARY KEY (customer_key, check_key)
) STRICT, WITHOUT ROWID;

-- Up to which check they are filed.
CREATE TABLE credit_filing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    upto_key INTEGER NOT NULL
) STRICT;

INSERT INTO credit_check_filed (customer_key, check_key)
SELECT customer_key, key FROM credit_check ORDER BY customer_key, key;

INSERT INTO credit_filing (one, upto_key) SELECT 1, coalesce(max(key), 0) FROM credit_check;

DROP INDEX credit_check_by_customer;
