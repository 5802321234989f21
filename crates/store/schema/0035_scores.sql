-- What the run between sweeps found of who is judged by more than the sweep knew: the day, and facts by name as JSON. Null
-- until it has looked, and again as soon as anything more is recorded.

ALTER TABLE score_outdated ADD COLUMN as_of TEXT;

ALTER TABLE score_outdated ADD COLUMN facts TEXT;
