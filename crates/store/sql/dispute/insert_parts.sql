-- ?1: key of the dispute of the whole, ?2: parts as [[id, key of the instalment]].
-- Of each instalment its part, with what the whole says. How much of it is contested is not found yet.
INSERT INTO dispute
    (id, customer_key, invoice_key, opened_on, minor, reason, detail, evidence, entry_key, whole_key)
SELECT
    j.value ->> 0, d.customer_key, j.value ->> 1, d.opened_on, 0, d.reason, d.detail, d.evidence,
    d.entry_key, d.key
FROM dispute AS d CROSS JOIN json_each(?2) AS j
WHERE d.key = ?1
ORDER BY j.key
