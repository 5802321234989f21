-- ?1: the last allocation before. Takes what was appended since off what is open.
UPDATE invoice
SET open_minor = open_minor - a.minor
FROM (
    SELECT invoice_key, sum(amount_minor) AS minor FROM allocation NOT INDEXED WHERE key > ?1 GROUP BY invoice_key
) AS a
WHERE invoice.key = a.invoice_key
