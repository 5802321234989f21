-- ?1: the alert, ?2: the day. What was done by it, as [day, at, who, action, reason, until_on, owner, severity], oldest first.
SELECT json_group_array(json_array(day, at, who, action, reason, until_on, owner, severity))
FROM (SELECT * FROM alert_action WHERE alert_key = ?1 AND day <= ?2 ORDER BY key)
