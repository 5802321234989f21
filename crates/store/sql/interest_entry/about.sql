-- ?1: keys of claims. Gives [claim, id of the claim, document] for every document that is about the claim or about
-- another that is, by what they are about now or were before a correction.
WITH RECURSIVE
tree (claim, key) AS (
    SELECT value, value FROM json_each(?1)
    UNION
    SELECT t.claim, i.key FROM tree AS t CROSS JOIN invoice AS i ON i.relates_key = t.key
    UNION
    -- The sign keeps the id from being compared as its column is, which no index of an expression allows.
    SELECT t.claim, c.invoice_key
    FROM tree AS t
    CROSS JOIN invoice AS w ON w.key = t.key
    CROSS JOIN correction AS c ON c.before ->> 'relates_to' = +w.id
)
SELECT json_group_array(json_array(t.claim, w.id, t.key))
FROM tree AS t
CROSS JOIN invoice AS w ON w.key = t.claim
WHERE t.key <> t.claim
