-- ?1: after this customer, ?2: up to this one, ?3: the business date.
-- Gives [customer_key, customer_id, name, language, currency, unapplied, last_notice_on] for each customer and
-- currency whose next action has come.
SELECT json_group_array(json_array(customer_key, id, name, language, currency, unapplied_minor, last_notice_on))
FROM (
    SELECT a.customer_key, c.id, c.name, c.language, a.currency, a.unapplied_minor, a.last_notice_on
    FROM arrears AS a
    CROSS JOIN customer AS c ON c.key = a.customer_key
    WHERE a.customer_key > ?1 AND a.customer_key <= ?2 AND a.next_action_on <= ?3 AND a.outstanding_minor > 0
    ORDER BY a.customer_key, a.currency
)
