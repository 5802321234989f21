-- ?1: [notice_id, invoice_key, due_on, open_minor].
INSERT INTO notice_item (notice_key, invoice_key, due_on, open_minor)
SELECT n.key, j.value ->> 1, j.value ->> 2, j.value ->> 3
FROM json_each(?1) AS j
CROSS JOIN notice AS n ON n.id = j.value ->> 0
WHERE true
ON CONFLICT DO NOTHING
