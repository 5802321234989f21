-- ?1: [invoice_key, minor] to take off what is open.
UPDATE invoice
SET open_minor = open_minor - j.minor
FROM (SELECT value ->> 0 AS key, value ->> 1 AS minor FROM json_each(?1)) AS j
WHERE invoice.key = j.key
