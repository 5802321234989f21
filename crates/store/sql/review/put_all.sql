-- ?1: [customer_key, since_on, reviewed_on, due_on].
INSERT INTO review (customer_key, since_on, reviewed_on, due_on)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3
FROM json_each(?1)
WHERE true
ON CONFLICT (customer_key) DO UPDATE SET reviewed_on = excluded.reviewed_on, due_on = excluded.due_on
