-- ?1: [key, id], ?2: the business date, ?3: how they end. Alerts that stood behind another one and are taken up.
UPDATE alert SET ended_on = ?2, ending = ?3 WHERE key IN (SELECT value ->> 0 FROM json_each(?1))
