-- ?1: the contract, ?2: the version, ?3: the contract's new-contract as JSON, ?4: the moment, ?5: the audit entry.
INSERT INTO contract_version
    (
        contract_key, version, signed_on, effective_on, ends_on, secured, discount_share, discount_days,
        allocation_order, document, recorded_at, entry_key
    )
VALUES
    (
        ?1, ?2, ?3 ->> '$.signed_on', ?3 ->> '$.effective_on', ?3 ->> '$.ends_on', coalesce(?3 ->> '$.secured', 0),
        ?3 ->> '$.terms.discount_share', ?3 ->> '$.terms.discount_days', ?3 ->> '$.order', ?3, ?4, ?5
    )
