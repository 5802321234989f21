-- A reservation drops nothing any more of what is kept ready, which stands somewhere else in the file. What is ready says up
-- to which entry of the audit chain it knows reservations: with a later one that still counts it does not hold.

ALTER TABLE credit_ready ADD COLUMN entries_upto INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER ready_credit_reservation_new;
