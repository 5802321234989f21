-- Gives the orders that any version of the policy had, as the last version that had them says them.
SELECT json_group_array(json(document))
FROM (
    SELECT max(p.key) AS last, o.value AS document
    FROM policy AS p, json_each(p.document, '$.orders') AS o
    GROUP BY o.value ->> 'name'
)
