-- ?1: the contract's hold as JSON, ?2: the customer, ?3: the entry, ?4: what of the order was done, ?5: what was seen.
INSERT INTO credit_hold
    (
        id, customer_key, order_id, minor, currency, purpose, terms_days, verdict, rules, reason, opened_at, state,
        entry_key, base_minor, reasons
    )
VALUES
    (
        ?1 ->> 'id', ?2, ?1 ->> 'order_id', ?1 ->> '$.amount.minor', ?1 ->> '$.amount.currency', ?1 ->> 'purpose',
        ?1 ->> 'terms_days', ?1 ->> 'verdict', ?1 -> 'rules', ?1 ->> 'reason', ?1 ->> 'opened_at', ?1 ->> 'state', ?3,
        ?4, ?5
    )
