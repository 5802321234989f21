-- ?1: a customer's key, ?2: what stands in the place of its name. Gives a row for each former record that had anything to
-- take away.
UPDATE customer_former
SET
    document = json_set(
        json_remove(
            document, '$.email', '$.phone', '$.tags', '$.contacts', '$.representatives', '$.bank_accounts'
        ),
        '$.name', ?2
    )
WHERE
    customer_key = ?1
    AND (
        document ->> 'name' <> ?2 OR document ->> 'email' IS NOT NULL OR document ->> 'phone' IS NOT NULL
        OR document ->> 'tags' IS NOT NULL OR document ->> 'contacts' IS NOT NULL
        OR document ->> 'representatives' IS NOT NULL OR document ->> 'bank_accounts' IS NOT NULL
    )
RETURNING key
