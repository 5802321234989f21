-- ?1: [[contract id, day]]. Gives [id, day, version_key, customer_key, terms] of each that is in force on its day.
SELECT json_group_array(json_array(c.id, j.value ->> 1, v.key, c.customer_key, json(v.document -> '$.terms')))
FROM json_each(?1) AS j
CROSS JOIN contract AS c ON c.id = j.value ->> 0
CROSS JOIN contract_version AS v ON v.key = (
    SELECT w.key FROM contract_version AS w
    WHERE w.contract_key = c.key AND w.effective_on <= j.value ->> 1
    ORDER BY w.effective_on DESC, w.version DESC
    LIMIT 1
)
WHERE v.ends_on IS NULL OR v.ends_on >= j.value ->> 1
