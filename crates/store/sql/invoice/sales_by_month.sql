-- ?1: the first day, ?2: the last. Gives [currency, month, sales]: invoices less credit notes by month of issue.
-- Sums of the whole book are added up in two halves: no amounts, however large, can overflow. What no number holds
-- is told as the largest there is.
SELECT json_group_array(json_array(currency, month, minor))
FROM (
    SELECT currency, month, CAST(sum(minor / 1000000000) * 1000000000 + sum(minor % 1000000000) AS INTEGER) AS minor
    FROM (
        SELECT
            currency,
            substr(issued_on, 1, 7) AS month,
            CASE kind WHEN 'invoice' THEN amount_minor WHEN 'credit-note' THEN -amount_minor ELSE 0 END AS minor
        FROM invoice
        WHERE issued_on >= ?1 AND issued_on <= ?2
    )
    GROUP BY currency, month
    ORDER BY currency, month DESC
)
