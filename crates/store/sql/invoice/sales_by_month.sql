-- ?1: the first day, ?2: the last. Gives [currency, month, sales]: invoices less credit notes by month of issue.
SELECT json_group_array(json_array(currency, month, minor))
FROM (
    SELECT
        currency,
        substr(issued_on, 1, 7) AS month,
        sum(CASE kind WHEN 'invoice' THEN amount_minor WHEN 'credit-note' THEN -amount_minor ELSE 0 END) AS minor
    FROM invoice
    WHERE issued_on >= ?1 AND issued_on <= ?2
    GROUP BY currency, month
    ORDER BY currency, month DESC
)
