-- What was kept of late interest by months of 30 days, and of instalments, is worked out anew by the next sweep: the former
-- is counted on one ruler for each claim by now, the latter rounded once for each document.
INSERT INTO accrual_look (customer_key)
SELECT DISTINCT a.customer_key
FROM accrual AS a CROSS JOIN invoice AS i ON i.key = a.invoice_key
WHERE a.ruler >= 2 OR i.parent_key IS NOT NULL
ON CONFLICT (customer_key) DO NOTHING;
