-- What a check says of most customers until something changes, kept ready: the minute's run works it out, and whatever is
-- written that it rests on drops it: documents and payments where they outdate a judgement, all else by triggers.

-- For whom it was looked, and what was found: on which day, until when it holds of itself, and under which generation of
-- what is the same for all. Without a currency each check looks by itself. In the others it passes for whatever is asked
-- in this currency, up to so much, and nothing is found.
CREATE TABLE credit_ready (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    as_of TEXT NOT NULL,
    until_at TEXT NOT NULL,
    generation INTEGER NOT NULL,
    currency TEXT,
    room_minor INTEGER,
    total_minor INTEGER,
    CHECK ((currency IS NULL) = (room_minor IS NULL) AND (currency IS NULL) = (total_minor IS NULL))
) STRICT;

-- What it says then, as JSON: the limit and the components. Rows of those who are not ready any more stay until they are
-- looked at again.
CREATE TABLE credit_told (
    customer_key INTEGER PRIMARY KEY REFERENCES customer (key),
    bound TEXT,
    exposure TEXT NOT NULL
) STRICT;

-- Grows with every change of what is the same for all customers.
CREATE TABLE credit_generation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO credit_generation (one, number) VALUES (1, 1);

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

-- Any change, so that an erasure takes in what was told.
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

CREATE TRIGGER ready_credit_reservation_new AFTER INSERT ON credit_reservation BEGIN
    DELETE FROM credit_ready WHERE customer_key = NEW.customer_key;
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
