-- ?1: rows whose field 2 names a customer (invoices or payments). Customers that are not there are made with their id
-- for a name.
INSERT INTO customer (id, name)
SELECT DISTINCT value ->> 2, value ->> 2
FROM json_each(?1)
WHERE true
ON CONFLICT (id) DO NOTHING
