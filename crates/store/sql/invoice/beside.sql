-- ?1: [id, customer_id, relates_to, contract_id, issued_on] of some documents. Gives for each, in the same order:
-- the key of the customer, which is that of the one who stayed after a merge;
-- where the id is there already [due_on, contract_id, version_key, [[due_on, minor] of each instalment]];
-- of the document it is about [key, customer_key, kind, currency];
-- of the version of its contract that is in force on its day [key, customer_key, terms]. What is not there is null.
SELECT json_group_array(json_array(
    coalesce(c.merged_key, c.key),
    iif(s.key IS NULL, NULL, json_array(
        s.due_on,
        (
            SELECT sk.id FROM contract_version AS sv CROSS JOIN contract AS sk ON sk.key = sv.contract_key
            WHERE sv.key = s.version_key
        ),
        s.version_key,
        (
            SELECT json_group_array(json_array(p.due_on, p.amount_minor))
            FROM (SELECT due_on, amount_minor FROM invoice WHERE parent_key = s.key ORDER BY key) AS p
        )
    )),
    iif(r.key IS NULL, NULL, json_array(r.key, r.customer_key, r.kind, r.currency)),
    iif(v.key IS NULL, NULL, json_array(v.key, k.customer_key, json(v.document -> '$.terms')))
))
FROM json_each(?1) AS j
LEFT JOIN customer AS c ON c.id = j.value ->> 1
LEFT JOIN invoice AS s ON s.id = j.value ->> 0
LEFT JOIN invoice AS r ON r.id = j.value ->> 2
LEFT JOIN contract AS k ON k.id = j.value ->> 3
LEFT JOIN contract_version AS v ON v.key = (
    SELECT w.key FROM contract_version AS w
    WHERE w.contract_key = k.key AND w.effective_on <= j.value ->> 4
    ORDER BY w.effective_on DESC, w.version DESC
    LIMIT 1
) AND (v.ends_on IS NULL OR v.ends_on >= j.value ->> 4)
