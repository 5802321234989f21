-- ?1: [notice_key, outcome, detail], ?2: the moment.
INSERT INTO delivery (notice_key, tried_at, outcome, detail)
SELECT value ->> 0, ?2, value ->> 1, value ->> 2
FROM json_each(?1)
