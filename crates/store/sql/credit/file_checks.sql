-- ?1: how many at the most. Files the next checks, in the order of their customers.
INSERT INTO credit_check_filed (customer_key, check_key)
SELECT k.customer_key, k.key
FROM credit_filing AS f CROSS JOIN credit_check AS k ON k.key > f.upto_key AND k.key <= f.upto_key + ?1
WHERE f.one = 1
ORDER BY k.customer_key, k.key
