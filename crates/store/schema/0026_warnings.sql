-- When a judgement was made and by which version of the tiers; since when a customer is merged into another; how grave an
-- alert was and whose, before anything was done about it. Null in what was recorded before.

ALTER TABLE score_change ADD COLUMN judged_at TEXT;

ALTER TABLE score_change ADD COLUMN tiers_key INTEGER REFERENCES tiers (key);

ALTER TABLE customer ADD COLUMN merged_on TEXT;

ALTER TABLE alert ADD COLUMN opened_severity TEXT CHECK (opened_severity IN (<severity>));

ALTER TABLE alert ADD COLUMN opened_owner TEXT;
