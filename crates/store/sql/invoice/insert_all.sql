-- ?1: rows as [row, id, customer_id, kind, issued_on, due_on, amount_minor, currency, disputed], and for single
-- documents version_key, relates_key, parent_key, penalty; ?2: the audit entry.
-- A row whose id is there already, or whose customer is not, is left out; invoice/differing.sql and
-- customer/unknown.sql tell which.
INSERT INTO invoice
    (id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor, version_key, relates_key,
     parent_key, penalty, entry_key)
SELECT
    j.value ->> 1, c.key, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8,
    j.value ->> 6, j.value ->> 9, j.value ->> 10, j.value ->> 11,
    coalesce(j.value ->> 12, 0), ?2
FROM json_each(?1) AS j
CROSS JOIN customer AS c ON c.id = j.value ->> 2
WHERE c.merged_key IS NULL
ON CONFLICT (id) DO NOTHING
