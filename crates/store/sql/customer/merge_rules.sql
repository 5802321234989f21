-- ?1: the customer that goes, ?2: the one that stays, ?3: the head of its group or itself, ?4: the entry.
-- Rules of the one that goes go along as their next version, where none of their kind decides for the one that stays: no
-- rule gives way to one of a duplicate. customer/merge_rules_former.sql has taken them out of force.
INSERT INTO credit_rule (name, version, customer_key, group_key, document, replaced, entry_key)
SELECT
    r.name, r.version + 1, iif(r.customer_key IS NULL, NULL, ?2), iif(r.group_key IS NULL, NULL, ?3),
    json_set(
        r.document, iif(r.group_key IS NULL, '$.customer', '$.group'),
        (SELECT c.id FROM customer AS c WHERE c.key = iif(r.group_key IS NULL, ?2, ?3))
    ),
    0, ?4
FROM credit_rule AS r
WHERE
    (r.customer_key = ?1 OR r.group_key = ?1) AND r.replaced = 1
    AND NOT EXISTS (SELECT 1 FROM credit_rule AS n WHERE n.name = r.name AND n.key > r.key)
