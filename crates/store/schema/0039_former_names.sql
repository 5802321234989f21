-- Other names of payments as they were until an entry of the audit chain said otherwise: of another payment, or of none.
CREATE TABLE payment_name_former (
    id TEXT NOT NULL,
    payment_key INTEGER NOT NULL REFERENCES payment (key),
    entry_key INTEGER,
    until_entry_key INTEGER NOT NULL,
    PRIMARY KEY (id, until_entry_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_name_former_by_payment ON payment_name_former (payment_key);
