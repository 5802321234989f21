-- ?1: a document's key, ?2 and ?3: the states of what was turned down and of what was taken back. Gives what was asked
-- to be written off of the whole document until now: an instalment counts with the others of its document.
SELECT coalesce(sum(w.minor), 0)
FROM (
    SELECT ?1 AS key
    UNION
    SELECT s.key FROM invoice AS i
    JOIN invoice AS s ON s.parent_key = i.parent_key
    WHERE i.key = ?1
) AS d
JOIN write_off AS w ON w.invoice_key = d.key AND w.state NOT IN (?2, ?3)
