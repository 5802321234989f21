-- ?1: keys of customers as a JSON array. Gives [payment_key, id, reversed_on, kind, minor] of money that went back.
SELECT json_group_array(json_array(r.payment_key, r.id, r.reversed_on, r.kind, r.minor))
FROM json_each(?1) AS j CROSS JOIN reversal AS r ON r.customer_key = j.value
