-- ?1: reservations as JSON: id, customer, amount, currency, order, made at, expires at, state, entry, and in a list
-- of their own purpose, days of terms, check and hold.
INSERT INTO credit_reservation (
    id, customer_key, minor, currency, order_id, made_at, expires_at, until_at, state, entry_key, purpose, terms_days,
    check_id, hold_id
)
SELECT
    j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6,
    j.value ->> 6, j.value ->> 7, j.value ->> 8, j.value ->> '$[9][0]', j.value ->> '$[9][1]',
    j.value ->> '$[9][2]', j.value ->> '$[9][3]'
FROM json_each(?1) AS j
