-- Gives [currency, outstanding, customers owing] of the whole book.
SELECT json_group_array(json_array(currency, outstanding, owing))
FROM (
    SELECT currency, sum(outstanding_minor) AS outstanding, count(*) AS owing
    FROM arrears
    WHERE outstanding_minor > 0
    GROUP BY currency
)
