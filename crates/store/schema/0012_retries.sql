-- Events that the ledger refused are tried again by themselves.

-- How often the event was tried, and when it is tried again; null: not by itself.
ALTER TABLE inbound_event ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;

ALTER TABLE inbound_event ADD COLUMN tried_at TEXT;

ALTER TABLE inbound_event ADD COLUMN next_try_at TEXT;

CREATE INDEX inbound_event_to_try ON inbound_event (next_try_at, key) WHERE next_try_at IS NOT NULL;
