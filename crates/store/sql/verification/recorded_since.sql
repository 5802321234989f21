-- ?1: the last document before a file, ?2: the last payment before it. What was recorded since, see verification.rs.
SELECT json_array(json(d.told), json(p.told))
FROM (
    SELECT
        json_array(
            ?1, coalesce(max(key), ?1), count(*),
            ifnull(sum((amount_minor % 1000003) * (key % 8191 + 1)), 0),
            ifnull(sum((
                amount_minor % 1000003 + unixepoch(due_on) / 86400 + length(kind)
                + coalesce(version_key, 0) % 1000003 + coalesce(relates_key, 0) % 1000003
            ) * (key % 8191 + 1)), 0),
            ifnull(sum((
                amount_minor % 1000003 + unixepoch(due_on) / 86400 + length(kind)
                + coalesce(version_key, 0) % 1000003 + coalesce(relates_key, 0) % 1000003 + customer_key % 1000003
            ) * (key % 8191 + 1)), 0)
        ) AS told
    FROM invoice NOT INDEXED WHERE key > ?1
) AS d, (
    SELECT
        json_array(
            ?2, coalesce(max(key), ?2), count(*),
            ifnull(sum((amount_minor % 1000003) * (key % 8191 + 1)), 0),
            ifnull(sum((
                amount_minor % 1000003 + unixepoch(received_on) / 86400 + unicode(currency)
                + coalesce(invoice_key, 0) % 1000003
            ) * (key % 8191 + 1)), 0),
            ifnull(sum((
                amount_minor % 1000003 + unixepoch(received_on) / 86400 + unicode(currency)
                + coalesce(invoice_key, 0) % 1000003 + customer_key % 1000003
            ) * (key % 8191 + 1)), 0)
        ) AS told
    FROM payment NOT INDEXED WHERE key > ?2
) AS p
