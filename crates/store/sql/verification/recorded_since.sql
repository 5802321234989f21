-- ?1: the last document before a file, ?2: the last payment, ?3: the last customer before it. What was recorded since, see
-- verification.rs.
-- Each sum is the one before and what it adds, so that nothing is worked out twice for a row.
SELECT
    json_array(
        json_array(?1, d.last, d.rows, d.amounts, d.amounts + d.said, d.amounts + d.said + d.whose),
        json_array(?2, p.last, p.rows, p.amounts, p.amounts + p.said, p.amounts + p.said + p.whose),
        json_array(?3, c.last, c.rows, c.said)
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
) AS p, (
    SELECT
        coalesce(max(key), ?3) AS last, count(*) AS rows,
        ifnull(sum((
            coalesce(limit_minor, -1) % 1000003
            + 1 * ifnull(31 * length(id) + unicode(id) + 7 * unicode(substr(id || ' ', 2)) + 13 * unicode(substr(id, -1)), 0)
            + 3 * ifnull(31 * length(country) + unicode(country) + 7 * unicode(substr(country || ' ', 2)) + 13 * unicode(substr(country, -1)), 0)
            + 5 * ifnull(31 * length(currency) + unicode(currency) + 7 * unicode(substr(currency || ' ', 2)) + 13 * unicode(substr(currency, -1)), 0)
            + 7 * ifnull(31 * length(language) + unicode(language) + 7 * unicode(substr(language || ' ', 2)) + 13 * unicode(substr(language, -1)), 0)
            + 11 * ifnull(31 * length(time_zone) + unicode(time_zone) + 7 * unicode(substr(time_zone || ' ', 2)) + 13 * unicode(substr(time_zone, -1)), 0)
            + 13 * ifnull(31 * length(limit_currency) + unicode(limit_currency) + 7 * unicode(substr(limit_currency || ' ', 2)) + 13 * unicode(substr(limit_currency, -1)), 0)
            + 17 * ifnull(31 * length(segment) + unicode(segment) + 7 * unicode(substr(segment || ' ', 2)) + 13 * unicode(substr(segment, -1)), 0)
            + 19 * ifnull(31 * length(industry) + unicode(industry) + 7 * unicode(substr(industry || ' ', 2)) + 13 * unicode(substr(industry, -1)), 0)
        ) * (key % 8191 + 1)), 0) AS said
    FROM customer NOT INDEXED WHERE key > ?3
) AS c
