-- ?1: [key, id], ?2: the business date. Alerts that stood behind another one are open from now on under the id. What was
-- raised on the same day goes on as it is.
INSERT INTO alert
    (id, customer_key, rule, version, kind, currency, severity, owner, assigned, escalated, opened_on, evidence,
     opened_severity, opened_owner, basis)
SELECT
    j.value ->> 1, a.customer_key, a.rule, a.version, a.kind, a.currency, a.severity, a.owner, a.assigned, a.escalated, ?2,
    a.evidence, a.severity, a.owner, a.basis
FROM json_each(?1) AS j
CROSS JOIN alert AS a ON a.key = j.value ->> 0
WHERE true
ON CONFLICT (id) DO UPDATE SET
    closed_on = NULL, closed_by = NULL, ended_on = NULL, ending = NULL, behind_rule = NULL, behind_currency = NULL
