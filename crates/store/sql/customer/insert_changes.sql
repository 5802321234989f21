-- ?1: rows as [part, added, removed], ?2: the customer, ?3: the day, ?4: the moment.
INSERT INTO customer_change (customer_key, changed_on, part, added, removed, recorded_at)
SELECT ?2, ?3, value ->> 0, value ->> 1, value ->> 2, ?4
FROM json_each(?1)
