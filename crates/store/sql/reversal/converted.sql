-- ?1: keys of payments as a JSON array.
-- Gives [key, what stayed in its currency, what was changed, [[key of a part, currency, amount_minor, cost_minor], ...]] of
-- those that were partly changed into other currencies.
SELECT
    json_group_array(
        json_array(
            w.key, w.amount_minor - w.converted_minor, w.converted_minor,
            (
                SELECT json_group_array(json_array(p.key, p.currency, p.amount_minor, p.cost_minor))
                FROM (SELECT * FROM payment WHERE converted_from_key = w.key ORDER BY key) AS p
            )
        )
    )
FROM json_each(?1) AS j CROSS JOIN payment AS w ON w.key = j.value AND w.converted_minor > 0
