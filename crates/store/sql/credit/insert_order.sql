-- ?1: the contract's order as JSON, ?2: the customer, ?3: the entry.
INSERT INTO credit_order
    (
        id, customer_key, amount_minor, currency, delivered_minor, invoiced_minor, cancelled_minor, undelivered_minor,
        unbilled_minor, from_on, until_on, entry_key, version
    )
VALUES
    (
        ?1 ->> 'id', ?2, ?1 ->> '$.amount.minor', ?1 ->> '$.amount.currency', ?1 ->> 'delivered_minor',
        ?1 ->> 'invoiced_minor', ?1 ->> 'cancelled_minor', ?1 ->> 'undelivered_minor', ?1 ->> 'unbilled_minor',
        ?1 ->> 'on', '9999-12-31', ?3, ?1 ->> 'version'
    )
