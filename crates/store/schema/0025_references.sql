-- Other names of payments: the ids under which the same money came another way. The day and the amount are what was
-- said under that name.

CREATE TABLE payment_name (
    id TEXT PRIMARY KEY,
    payment_key INTEGER NOT NULL REFERENCES payment (key),
    received_on TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    entry_key INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_name_by_payment ON payment_name (payment_key);

-- The structured reference that is printed on a document, letters and digits alone.
ALTER TABLE invoice ADD COLUMN reference TEXT;

-- What the payer instructed, where the bank took a fee out of it or added one, and for whom somebody else paid.
ALTER TABLE bank_entry ADD COLUMN instructed_minor INTEGER;

ALTER TABLE bank_entry ADD COLUMN ultimate_payer TEXT;

-- Our account however a statement spells it: statements of one account are held against each other by it.
ALTER TABLE bank_statement ADD COLUMN own_account TEXT;

UPDATE bank_statement SET own_account = account;

DROP INDEX bank_statement_by_account;

CREATE INDEX bank_statement_by_own_account ON bank_statement (own_account, to_on);
