-- ?1: customers as rows [key, bound, exposure]. Keeps what a check says of them.
INSERT INTO credit_told (customer_key, bound, exposure)
SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?1) AS j
WHERE true
ON CONFLICT (customer_key) DO UPDATE SET bound = excluded.bound, exposure = excluded.exposure
