-- What a rule looked at when an alert opened, and how and on what an alert ended, as JSON of the contract. Null in what was
-- recorded before. Rule and currency of the alert that tells of it: since the day on which it was closed and until it ends.

ALTER TABLE alert ADD COLUMN basis TEXT;

ALTER TABLE alert ADD COLUMN ending TEXT;

ALTER TABLE alert ADD COLUMN behind_rule TEXT;

ALTER TABLE alert ADD COLUMN behind_currency TEXT;
