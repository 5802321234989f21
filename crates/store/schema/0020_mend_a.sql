-- The entries about one thing are asked for by its id.

CREATE INDEX audit_by_subject ON audit (id, noun);
