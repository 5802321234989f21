-- ?1: a customer's key, ?2: what stands in the place of its name. Gives a row if anything was there to take away.
UPDATE customer
SET
    name = ?2, email = NULL, phone = NULL, tags = NULL, contacts = NULL, representatives = NULL,
    bank_accounts = NULL
WHERE
    key = ?1
    AND (
        name <> ?2 OR email IS NOT NULL OR phone IS NOT NULL OR tags IS NOT NULL OR contacts IS NOT NULL
        OR representatives IS NOT NULL OR bank_accounts IS NOT NULL
    )
RETURNING key
