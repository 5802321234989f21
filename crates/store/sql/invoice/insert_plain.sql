-- ?1: rows as [row, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed]; ?2: the audit entry.
-- invoice/insert_all.sql for rows that say no more than that: what is taken out of JSON is a quarter of the statement.
INSERT INTO invoice (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor, entry_key)
SELECT
    j.part ->> 1, c.key, j.part ->> 3, j.part ->> 4, j.part ->> 5, j.part ->> 6, j.part ->> 7, j.part ->> 8,
    j.part ->> 6, ?2
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1) AS j
CROSS JOIN customer AS c ON c.id = j.part ->> 2
WHERE c.merged_key IS NULL
ON CONFLICT (id) DO NOTHING
