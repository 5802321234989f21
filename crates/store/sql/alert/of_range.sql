-- ?1: after this customer, ?2: up to this one. Gives the alerts whose reason is not gone:
-- [customer_key, rule, currency, evidence, opened_on, severity, closed, [assigned, escalated], snoozed_until,
-- key, [behind_rule, behind_currency]].
SELECT
    json_group_array(
        json_array(
            customer_key, rule, currency, json(evidence), opened_on, severity,
            closed_on IS NOT NULL AND behind_rule IS NULL,
            json_array(assigned, escalated), snoozed_until, key, json_array(behind_rule, behind_currency)
        )
    )
FROM alert
WHERE ended_on IS NULL AND customer_key > ?1 AND customer_key <= ?2
