-- ?1: rows whose field 2 names a customer (invoices or payments). Customers that are not there are made with their id
-- for a name. A row that says of a document that it is void names nobody. ?2: the entry of the audit chain.
INSERT INTO customer (id, name, entry_key)
SELECT DISTINCT value ->> 2, value ->> 2, ?2
FROM json_each(?1)
WHERE value ->> 9 ->> '$.void' IS NULL
ON CONFLICT (id) DO NOTHING
