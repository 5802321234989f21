-- ?1: [id of a cross-default, id of the default that it rests on, or null: of none].
UPDATE default_record
SET rests_on_key = (SELECT o.key FROM default_record AS o WHERE o.id = j.value ->> 1)
FROM json_each(?1) AS j
WHERE default_record.id = j.value ->> 0
