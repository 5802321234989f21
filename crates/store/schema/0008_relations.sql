-- What documents were about before a correction: a read of an earlier moment looks for them by it.

CREATE INDEX correction_by_relation ON correction (before ->> 'relates_to') WHERE before ->> 'relates_to' IS NOT NULL;
