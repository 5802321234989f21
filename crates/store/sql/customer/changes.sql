-- ?1: the id, ?2: after this day, ?6: and this change of it, ?3: at most so many, ?4: the day, ?5: the moment of knowledge or
-- null. Gives the contract's customer-change by day, and of one day as they were recorded.
SELECT
    json_group_array(
        json_object(
            'key', key, 'customer_id', ?1, 'on', changed_on, 'part', part, 'added', added, 'removed', removed,
            'recorded_at', recorded_at
        )
    )
FROM (
    SELECT * FROM customer_change
    WHERE customer_key = (SELECT key FROM customer WHERE id = ?1) AND (changed_on, key) > (?2, ?6) AND changed_on <= ?4
        AND (?5 IS NULL OR recorded_at <= ?5)
    ORDER BY changed_on, key
    LIMIT ?3
)
