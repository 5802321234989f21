-- ?1: the contract's new-guarantee as JSON, ?2: its id, ?3: the customer, ?4: the contract or null, ?5: the entry of
-- the audit chain if it is new.
INSERT INTO guarantee
    (id, customer_key, contract_key, kind, party, amount_minor, currency, share, valid_from, valid_to, claim_by, entry_key)
VALUES
    (
        ?2, ?3, ?4, ?1 ->> '$.kind', ?1 ->> '$.party', ?1 ->> '$.amount.minor', ?1 ->> '$.amount.currency',
        ?1 ->> '$.share', ?1 ->> '$.valid_from', ?1 ->> '$.valid_to', ?1 ->> '$.claim_by', ?5
    )
ON CONFLICT (id) DO UPDATE
SET
    customer_key = excluded.customer_key, contract_key = excluded.contract_key, kind = excluded.kind,
    party = excluded.party, amount_minor = excluded.amount_minor, currency = excluded.currency, share = excluded.share,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to, claim_by = excluded.claim_by
