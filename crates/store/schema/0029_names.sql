-- The other name of a payment by which a reversal was asked for: what is known under it goes back at most.
ALTER TABLE reversal ADD COLUMN payment_name TEXT;

-- Documents that were given a reference after the entries of bank statements began to look for their numbers: they are
-- looked at again with the next statement.
CREATE TABLE match_again (
    document_key INTEGER PRIMARY KEY REFERENCES invoice (key)
) STRICT;
