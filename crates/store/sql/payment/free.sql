-- ?1: keys of customers as a JSON array, ?2: the last payment before a bank statement.
UPDATE payment
SET unallocated_minor = amount_minor
WHERE
    unallocated_minor = 0 AND converted_minor = 0
    AND key IN (
        SELECT p.key FROM json_each(?1) AS j CROSS JOIN payment AS p ON p.customer_key = j.value AND p.key > ?2
    )
