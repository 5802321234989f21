-- ?1: the contract's new-customer as JSON with its id, ?2: the key of its parent or null.
-- Writes the whole record, new or in the place of the one before. Gives its key.
INSERT INTO customer
    (
        id, name, country, currency, language, time_zone, email, phone, limit_minor, limit_currency, parent_key, status,
        segment, industry, tags, contacts, representatives, bank_accounts
    )
VALUES
    (
        ?1 ->> '$.id', ?1 ->> '$.name', ?1 ->> '$.country', ?1 ->> '$.currency', ?1 ->> '$.language',
        ?1 ->> '$.time_zone', ?1 ->> '$.email', ?1 ->> '$.phone', ?1 ->> '$.credit_limit.minor',
        ?1 ->> '$.credit_limit.currency', ?2, ?1 ->> '$.status', ?1 ->> '$.segment', ?1 ->> '$.industry',
        ?1 ->> '$.tags', ?1 ->> '$.contacts', ?1 ->> '$.representatives', ?1 ->> '$.bank_accounts'
    )
ON CONFLICT (id) DO UPDATE
SET
    name = excluded.name, country = excluded.country, currency = excluded.currency, language = excluded.language,
    time_zone = excluded.time_zone, email = excluded.email, phone = excluded.phone, limit_minor = excluded.limit_minor,
    limit_currency = excluded.limit_currency, parent_key = excluded.parent_key, status = excluded.status,
    segment = excluded.segment, industry = excluded.industry, tags = excluded.tags, contacts = excluded.contacts,
    representatives = excluded.representatives, bank_accounts = excluded.bank_accounts
RETURNING key
