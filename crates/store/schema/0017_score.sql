-- What warnings compare: the part of the grade when alerts were last judged, and how many parts a grade has.

ALTER TABLE score ADD COLUMN notch_before INTEGER;

ALTER TABLE score ADD COLUMN notches INTEGER;
