-- ?1: entries as JSON, in their order: key, at, who, action, noun, id, change, what is personal (the fields, their salt and
-- hash, the customer), previous, hash.
INSERT INTO audit (
    key, at, who, action, noun, id, change, personal, salt, personal_hash, customer_key, previous, hash
)
SELECT
    j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6,
    j.value ->> '$[7][0]', j.value ->> '$[7][1]', j.value ->> '$[7][2]', j.value ->> '$[7][3]',
    j.value ->> 8, j.value ->> 9
FROM json_each(?1) AS j
