-- ?1: [id, customer_key, rule, version, kind, currency, severity, owner, [evidence, basis, behind_rule, behind_currency]],
-- ?2: the business date.
-- The same alert of the same day opens again when it ended on it, and tells what is seen by then. Nobody has snoozed it or
-- taken it on anew.
INSERT INTO alert
    (id, customer_key, rule, version, kind, currency, severity, owner, assigned, escalated, opened_on, evidence,
     opened_severity, opened_owner, basis, closed_on, closed_by, behind_rule, behind_currency)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, 0, 0, ?2,
    value -> 8 ->> 0, value ->> 6, value ->> 7, value -> 8 ->> 1,
    iif(value -> 8 ->> 2 IS NULL, NULL, ?2), iif(value -> 8 ->> 2 IS NULL, NULL, 'sweep'), value -> 8 ->> 2, value -> 8 ->> 3
FROM json_each(?1)
WHERE true
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version, evidence = excluded.evidence, severity = excluded.severity, owner = excluded.owner,
    opened_severity = excluded.severity, opened_owner = excluded.owner, basis = excluded.basis, assigned = 0,
    escalated = 0, snoozed_until = NULL, closed_on = excluded.closed_on, closed_by = excluded.closed_by, closed_because = NULL, ended_on = NULL,
    ending = NULL, behind_rule = excluded.behind_rule, behind_currency = excluded.behind_currency
