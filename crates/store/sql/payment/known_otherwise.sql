-- ?1: rows as in payment/insert_all.sql. Gives [[row, why, payment_id], ...] for rows of new ids that are known under
-- another name, with `named` or the field that differs or, where the payment became another customer's, `perhaps`, and for those that may be what an entry of a statement was booked
-- as, with `perhaps`: same customer, currency and amount within five days; or the entry has the id as its end-to-end
-- reference, or within 31 days as its bank's; or it has the amount for the document that the row names, with an amount for it
-- or without, or for an instalment of it, by what the payer named or by the order of debts, within five days; or at least the
-- amount for that document, of which less is open, within 31. The
-- amount is what no other name says of it yet, with the fee that the bank kept or without it, with what of it was a
-- mistake or without that. An entry whose payment was a mistake, or has other names for all of it, is
-- nobody's; money that came and went back had come all the same.
WITH
asked AS MATERIALIZED (
    SELECT
        j.value ->> 0 AS row, j.value ->> 1 AS id, coalesce(c.merged_key, c.key) AS customer_key,
        j.value ->> 3 AS received_on, j.value ->> 4 AS amount_minor, j.value ->> 5 AS currency,
        j.value ->> 6 AS invoice_id, j.value ->> 9 AS designation
    FROM json_each(?1) AS j
    CROSS JOIN customer AS c ON c.id = j.value ->> 2
    WHERE NOT EXISTS (SELECT 1 FROM payment AS p WHERE p.id = j.value ->> 1)
),
-- The documents that are named, each with what it is to have of the row.
about AS MATERIALIZED (
    SELECT a.row, a.customer_key, a.received_on, a.currency, i.key AS invoice_key, a.amount_minor
    FROM asked AS a CROSS JOIN invoice AS i ON i.id = a.invoice_id
    UNION ALL
    SELECT a.row, a.customer_key, a.received_on, a.currency, d.value ->> 0, d.value ->> 1
    FROM asked AS a CROSS JOIN json_each(a.designation) AS d
),
named AS (
    SELECT
        a.row,
        CASE
            WHEN p.customer_key <> a.customer_key THEN 'perhaps'
            WHEN n.received_on <> a.received_on THEN 'received_on'
            WHEN n.amount_minor <> a.amount_minor THEN 'amount'
            WHEN p.currency <> a.currency THEN 'currency'
            ELSE 'named'
        END AS why,
        p.id
    FROM asked AS a
    CROSS JOIN payment_name AS n ON n.id = a.id
    CROSS JOIN payment AS p ON p.key = n.payment_key
),
span AS (
    SELECT
        customer_key, currency, date(min(received_on), '-31 days') AS first_on, date(max(received_on), '+31 days') AS last_on
    FROM asked
    GROUP BY customer_key, currency
),
-- Those of a customer are read once, however many rows it has.
booked AS MATERIALIZED (
    SELECT
        p.key, p.id, p.customer_key, p.currency, p.received_on, e.bank_reference, p.designation,
        p.amount_minor
        - coalesce((SELECT sum(n.amount_minor) FROM payment_name AS n WHERE n.payment_key = p.key), 0) AS left_minor,
        iif(p.converted_from_key IS NULL, coalesce(e.instructed_minor - e.minor, 0), 0) AS fee_minor,
        iif(
            p.converted_from_key IS NULL,
            coalesce(
                (
                    SELECT sum(r.minor) FROM reversal AS r
                    WHERE r.payment_key = p.key AND r.undone_entry_key IS NULL AND r.kind = 'mistake'
                ),
                0
            ),
            0
        ) AS mistaken_minor
    FROM span AS s
    CROSS JOIN payment AS p INDEXED BY payment_by_customer
        ON p.customer_key = s.customer_key AND p.currency = s.currency
        AND p.received_on BETWEEN s.first_on AND s.last_on
    -- What was changed into another currency is of the entry that it came by.
    CROSS JOIN payment AS w ON w.key = coalesce(p.converted_from_key, p.key)
    -- As in bank/of_payment.sql.
    CROSS JOIN bank_entry AS e
        ON e.id IN (substr(w.id, 6), rtrim(rtrim(substr(w.id, 6), '0123456789'), '-')) AND e.payment_key = w.key
    WHERE
        p.id LIKE 'bank-%' AND e.minor > 0
        AND w.amount_minor > coalesce(
            (
                SELECT sum(r.minor) FROM reversal AS r
                WHERE r.payment_key = w.key AND r.undone_entry_key IS NULL AND r.kind = 'mistake'
            ),
            0
        )
        AND p.amount_minor > coalesce((SELECT sum(n.amount_minor) FROM payment_name AS n WHERE n.payment_key = p.key), 0)
),
-- One of a day is enough.
alike AS MATERIALIZED (
    SELECT customer_key, currency, minor, received_on, min(id) AS id
    FROM (
        SELECT customer_key, currency, left_minor AS minor, received_on, id FROM booked
        UNION ALL
        SELECT customer_key, currency, left_minor + fee_minor, received_on, id FROM booked WHERE fee_minor > 0
        UNION ALL
        SELECT customer_key, currency, left_minor - mistaken_minor, received_on, id FROM booked WHERE mistaken_minor > 0
    )
    GROUP BY customer_key, currency, minor, received_on
),
-- The documents that are named, as themselves and as their instalments, with what is open of each document.
claim AS MATERIALIZED (
    SELECT key, claim_key, customer_key, sum(open_minor) OVER (PARTITION BY key) AS open_minor
    FROM (
        SELECT i.key, i.key AS claim_key, i.customer_key, i.open_minor
        FROM about AS u CROSS JOIN invoice AS i ON i.key = u.invoice_key
        WHERE u.customer_key IN (SELECT customer_key FROM booked)
        UNION
        SELECT i.key, o.key, o.customer_key, o.open_minor
        FROM about AS u
        CROSS JOIN invoice AS i ON i.key = u.invoice_key
        CROSS JOIN invoice AS o ON o.parent_key = i.key
        WHERE u.customer_key IN (SELECT customer_key FROM booked)
    )
),
-- What each of them had of payments before any of that went back, which is of a later day.
had AS MATERIALIZED (
    SELECT k.key, k.claim_key, k.open_minor, l.payment_key, sum(l.amount_minor) AS minor
    FROM claim AS k
    CROSS JOIN allocation AS l ON l.customer_key = k.customer_key AND l.invoice_key = k.claim_key
    WHERE l.payment_key IN (SELECT key FROM booked)
    GROUP BY k.key, k.claim_key, k.open_minor, l.payment_key, l.allocated_on
    HAVING sum(l.amount_minor) > 0
),
-- What was paid of each document: as the payer named it, of all of it, and of each instalment.
part AS MATERIALIZED (
    SELECT b.currency, b.received_on, b.id, b.fee_minor, x.key AS invoice_key, x.minor, x.open_minor
    FROM (
        SELECT b.key AS payment_key, d.value ->> 0 AS key, d.value ->> 1 AS minor, NULL AS open_minor
        FROM booked AS b CROSS JOIN json_each(b.designation) AS d
        UNION
        SELECT payment_key, key, sum(minor), open_minor FROM had GROUP BY payment_key, key
        UNION
        SELECT payment_key, key, sum(minor), NULL FROM had GROUP BY payment_key, key, claim_key
    ) AS x
    CROSS JOIN booked AS b ON b.key = x.payment_key
),
found AS (
    SELECT a.row, b.id, abs(julianday(b.received_on) - julianday(a.received_on)) AS apart
    FROM asked AS a
    CROSS JOIN alike AS b
        ON b.customer_key = a.customer_key AND b.currency = a.currency AND b.minor = a.amount_minor
    WHERE abs(julianday(b.received_on) - julianday(a.received_on)) <= 5
    UNION ALL
    SELECT u.row, t.id, abs(julianday(t.received_on) - julianday(u.received_on)) - 10
    FROM about AS u
    -- Without the affinity of a column, which would keep the parts from being found by document.
    CROSS JOIN part AS t ON t.invoice_key = +u.invoice_key AND t.currency = +u.currency
    WHERE
        -- So much of it again may be a second part of the debt, unless no such debt is left.
        abs(julianday(t.received_on) - julianday(u.received_on)) <= iif(u.amount_minor > t.open_minor, 31, 5)
        AND (
            u.amount_minor IN (t.minor, t.minor + t.fee_minor)
            OR u.amount_minor > t.open_minor AND u.amount_minor <= t.minor + t.fee_minor
        )
    UNION ALL
    SELECT a.row, b.id, -20
    FROM asked AS a
    CROSS JOIN booked AS b
        ON b.customer_key = a.customer_key AND b.currency = a.currency AND b.bank_reference = a.id
    UNION ALL
    SELECT a.row, p.id, -20
    FROM asked AS a
    CROSS JOIN bank_entry AS e INDEXED BY bank_entry_by_end_to_end ON e.end_to_end = a.id
    CROSS JOIN payment AS p ON p.key = e.payment_key AND p.currency = a.currency
    WHERE
        e.minor > 0 AND e.end_to_end IS NOT NULL
        AND p.amount_minor > coalesce(
            (
                SELECT sum(r.minor) FROM reversal AS r
                WHERE r.payment_key = p.key AND r.undone_entry_key IS NULL AND r.kind = 'mistake'
            ),
            0
        )
        AND p.amount_minor > coalesce((SELECT sum(n.amount_minor) FROM payment_name AS n WHERE n.payment_key = p.key), 0)
),
-- The nearest of each row: whose reference it is, then what paid a document that it names.
nearest AS (SELECT row, id, min(apart) FROM found GROUP BY row)
SELECT json_group_array(json_array(row, why, id))
FROM (
    SELECT row, why, id FROM named
    UNION ALL
    SELECT row, 'perhaps', id FROM nearest WHERE row NOT IN (SELECT row FROM named)
    ORDER BY row
)
