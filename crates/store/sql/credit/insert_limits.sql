-- ?1: [id, customer_key, new-limit with everything said] as JSON, ?2: state, ?3: source, ?4: who asked, ?5: the entry,
-- ?6: the entry from which they count, null while they wait.
-- A proposal that was made today already is left as it is.
INSERT INTO credit_limit
    (
        id, customer_key, kind, minor, currency, from_on, to_on, unlimited, mandatory, reason, state, source, asked_by,
        counts_key, entry_key
    )
SELECT
    value ->> 0, value ->> 1, value ->> '$[2].kind', value ->> '$[2].minor', value ->> '$[2].currency',
    value ->> '$[2].from', value ->> '$[2].to', value ->> '$[2].unlimited', value ->> '$[2].mandatory',
    value ->> '$[2].reason', ?2, ?3, ?4, ?6, ?5
FROM json_each(?1)
WHERE TRUE
ON CONFLICT (id) DO NOTHING
