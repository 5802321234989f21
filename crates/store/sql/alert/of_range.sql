-- ?1: after this customer, ?2: up to this one. Gives the alerts whose reason is not gone:
-- [customer_key, rule, currency, evidence, opened_on, severity, closed, [assigned, escalated], snoozed_until].
SELECT
    json_group_array(
        json_array(
            customer_key, rule, currency, json(evidence), opened_on, severity, closed_on IS NOT NULL,
            json_array(assigned, escalated), snoozed_until
        )
    )
FROM alert
WHERE ended_on IS NULL AND customer_key > ?1 AND customer_key <= ?2
