-- ?1: [payment_key, minor] to take off what is not allocated.
UPDATE payment
SET unallocated_minor = unallocated_minor - j.minor
FROM (SELECT value ->> 0 AS key, value ->> 1 AS minor FROM json_each(?1)) AS j
WHERE payment.key = j.key
