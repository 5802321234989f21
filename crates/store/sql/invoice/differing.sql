-- ?1: rows as in invoice/insert_all.sql. Gives [row, field] for each row whose id is stored with other content. That a
-- document was recorded as contested shows in the dispute that came with it; a later one says nothing of that. A customer who
-- was merged is the one it was merged into.
WITH
pair AS (
    SELECT
        j.value ->> 0 AS row,
        CASE
            WHEN i.customer_key IS NOT coalesce(c.merged_key, c.key) THEN 'customer_id'
            WHEN i.kind IS NOT j.value ->> 3 THEN 'kind'
            WHEN i.issued_on IS NOT j.value ->> 4 THEN 'issued_on'
            WHEN i.due_on IS NOT j.value ->> 5 THEN 'due_on'
            WHEN i.amount_minor IS NOT j.value ->> 6 THEN 'amount'
            WHEN i.currency IS NOT j.value ->> 7 THEN 'currency'
            WHEN
                EXISTS (
                    SELECT 1 FROM dispute AS d
                    WHERE d.id = 'whole/' || CASE WHEN length(i.id) < 58 THEN i.id ELSE printf('%058d', i.key) END
                ) IS NOT j.value ->> 8
                THEN 'disputed'
            WHEN i.version_key IS NOT j.value ->> 9 THEN 'contract_id'
            WHEN i.relates_key IS NOT j.value ->> 10 THEN 'relates_to'
            WHEN i.parent_key IS NOT j.value ->> 11 THEN 'instalments'
            WHEN i.penalty IS NOT coalesce(j.value ->> 12, 0) THEN 'penalty'
            -- One that is not known yet is added, and a row that says none says nothing of it.
            WHEN i.reference <> j.value ->> 13 THEN 'reference'
        END AS field
    FROM json_each(?1) AS j
    CROSS JOIN invoice AS i ON i.id = j.value ->> 1
    LEFT JOIN customer AS c ON c.id = j.value ->> 2
)
SELECT json_group_array(json_array(row, field)) FROM (SELECT row, field FROM pair WHERE field IS NOT NULL ORDER BY row)
