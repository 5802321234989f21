-- ?1: a customer, ?2: what stands in the place of a text.
-- Takes out why there are rules for the customer or for its group.
UPDATE credit_rule SET document = json_set(document, '$.reason', ?2)
WHERE
    (customer_key = ?1 OR group_key = ?1)
    AND document ->> 'reason' IS NOT NULL AND document ->> 'reason' <> ?2
RETURNING key
