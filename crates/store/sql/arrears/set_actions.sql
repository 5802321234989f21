-- ?1: [customer_key, currency, next_action_on, notice day or null].
UPDATE arrears
SET next_action_on = j.next_action_on, last_notice_on = coalesce(j.notice_on, last_notice_on)
FROM (
    SELECT value ->> 0 AS customer_key, value ->> 1 AS currency, value ->> 2 AS next_action_on, value ->> 3 AS notice_on
    FROM json_each(?1)
) AS j
WHERE arrears.customer_key = j.customer_key AND arrears.currency = j.currency
