-- Gives [currency, outstanding, customers owing] of the whole book.
-- Sums of the whole book are added up in two halves: no amounts, however large, can overflow. What no number holds
-- is told as the largest there is.
SELECT json_group_array(json_array(currency, outstanding, owing))
FROM (
    SELECT
        currency,
        CAST(
            sum(outstanding_minor / 1000000000) * 1000000000 + sum(outstanding_minor % 1000000000) AS INTEGER
        ) AS outstanding,
        count(*) AS owing
    FROM arrears
    WHERE outstanding_minor > 0
    GROUP BY currency
)
