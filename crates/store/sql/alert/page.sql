-- ?1, ?2: before this day and key, ?3: at most so many, ?4: state or null, ?5: customer or null, ?6: the day.
-- An alert that was closed after the day was open on it.
SELECT json_group_array(json_array(opened_on, key, id, customer_id, name, kind, state, closed_on, currency, json(evidence)))
FROM (
    SELECT
        t.opened_on, t.key, t.id, c.id AS customer_id, c.name, t.kind,
        CASE WHEN t.closed_on IS NULL OR t.closed_on > ?6 THEN 'open' ELSE 'closed' END AS state,
        CASE WHEN t.closed_on <= ?6 THEN t.closed_on END AS closed_on,
        t.currency, t.evidence
    FROM alert AS t
    CROSS JOIN customer AS c ON c.key = t.customer_key
    WHERE
        (t.opened_on, t.key) < (?1, ?2) AND t.opened_on <= ?6
        AND (?4 IS NULL OR ?4 = CASE WHEN t.closed_on IS NULL OR t.closed_on > ?6 THEN 'open' ELSE 'closed' END)
        AND (?5 IS NULL OR c.id = ?5)
    ORDER BY t.opened_on DESC, t.key DESC
    LIMIT ?3
)
