-- Refused events are tried again as soon as the record that they name is there.

-- The record that a refused event waits for: one that was not there when it was refused. Null: none.
ALTER TABLE inbound_event ADD COLUMN awaits TEXT;

ALTER TABLE inbound_event ADD COLUMN awaits_id TEXT;

CREATE INDEX inbound_event_awaits ON inbound_event (awaits, awaits_id, key) WHERE awaits IS NOT NULL;
