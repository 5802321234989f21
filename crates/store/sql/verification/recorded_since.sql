-- ?1: the last document before a file, ?2: the last payment before it. What was recorded since, see verification.rs.
-- Each sum is the one before and what it adds, so that nothing is worked out twice for a row.
SELECT
    json_array(
        json_array(?1, d.last, d.rows, d.amounts, d.amounts + d.said, d.amounts + d.said + d.whose),
        json_array(?2, p.last, p.rows, p.amounts, p.amounts + p.said, p.amounts + p.said + p.whose)
    )
FROM (
    SELECT
        coalesce(max(key), ?1) AS last, count(*) AS rows,
        ifnull(sum((amount_minor % 1000003) * (key % 8191 + 1)), 0) AS amounts,
        ifnull(sum((
            unixepoch(due_on) / 86400 + length(kind)
            + coalesce(version_key, 0) % 1000003 + coalesce(relates_key, 0) % 1000003
        ) * (key % 8191 + 1)), 0) AS said,
        ifnull(sum((customer_key % 1000003) * (key % 8191 + 1)), 0) AS whose
    FROM invoice NOT INDEXED WHERE key > ?1
) AS d, (
    SELECT
        coalesce(max(key), ?2) AS last, count(*) AS rows,
        ifnull(sum((amount_minor % 1000003) * (key % 8191 + 1)), 0) AS amounts,
        ifnull(sum((
            unixepoch(received_on) / 86400 + unicode(currency) + coalesce(invoice_key, 0) % 1000003
        ) * (key % 8191 + 1)), 0) AS said,
        ifnull(sum((customer_key % 1000003) * (key % 8191 + 1)), 0) AS whose
    FROM payment NOT INDEXED WHERE key > ?2
) AS p
