-- ?1: [customer_key, samples].
INSERT INTO fact_sample (customer_key, samples)
SELECT value ->> 0, value ->> 1
FROM json_each(?1)
WHERE true
ON CONFLICT (customer_key) DO UPDATE SET samples = excluded.samples
