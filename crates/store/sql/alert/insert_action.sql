-- ?1: alert, ?2: day, ?3: moment, ?4: who, ?5: action, ?6: reason, ?7: until, ?8: owner, ?9: entry.
INSERT INTO alert_action (alert_key, day, at, who, action, reason, until_on, owner, entry_key)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
