-- ?1: rows as [row, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed], and for single
-- documents version_key, relates_key, parent_key, penalty, reference; ?2: the audit entry.
-- A row whose id is there already, or whose customer is not, is left out; invoice/differing.sql and
-- customer/unknown.sql tell which. Without the limit a row would be written anew for each of its columns.
INSERT INTO invoice
    (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor, version_key, relates_key,
     parent_key, penalty, reference, entry_key)
SELECT
    j.part ->> 1, c.key, j.part ->> 3, j.part ->> 4, j.part ->> 5, j.part ->> 6, j.part ->> 7, j.part ->> 8,
    j.part ->> 6, j.part ->> 9, j.part ->> 10, j.part ->> 11, coalesce(j.part ->> 12, 0), j.part ->> 13,
    ?2
FROM (SELECT value AS part FROM json_each(?1) LIMIT -1) AS j
CROSS JOIN customer AS c ON c.id = j.part ->> 2
WHERE c.merged_key IS NULL
ON CONFLICT (id) DO NOTHING
