-- ?10: the last audit entry that was known.
-- The tables that facts are summed over, as they read then: what was recorded later is not there, and what was corrected,
-- decided or replaced later reads as before. Put before another statement of facts, its tables are these, because the name
-- of a common table hides the name of a table. Rows of before there was an audit chain were always known.
WITH
invoice AS NOT MATERIALIZED (
    SELECT
        d.*,
        d.amount_minor - coalesce(
            (
                SELECT sum(a.amount_minor) FROM main.allocation AS a
                WHERE a.customer_key = d.customer_key AND a.invoice_key = d.key AND coalesce(a.entry_key, 0) <= ?10
            ), 0
        ) AS open_minor
    FROM (
        SELECT
            i.key, i.customer_key, i.kind, i.currency, i.parent_key,
            (
                SELECT r.key FROM main.invoice AS r
                WHERE
                    r.id = coalesce(
                        (
                            SELECT c.before ->> 'relates_to' FROM main.correction AS c
                            WHERE c.invoice_key = i.key AND c.entry_key > ?10 AND c.before ->> 'relates_to' IS NOT NULL
                            ORDER BY c.key LIMIT 1
                        ), (SELECT o.id FROM main.invoice AS o WHERE o.key = i.relates_key)
                    )
            ) AS relates_key,
            coalesce(
                (
                    SELECT c.before ->> 'version_key' FROM main.correction AS c
                    WHERE c.invoice_key = i.key AND c.entry_key > ?10 AND c.before ->> 'version_key' IS NOT NULL
                    ORDER BY c.key LIMIT 1
                ), i.version_key
            ) AS version_key,
            coalesce(
                (
                    SELECT c.before ->> 'issued_on' FROM main.correction AS c
                    WHERE c.invoice_key = i.key AND c.entry_key > ?10 AND c.before ->> 'issued_on' IS NOT NULL
                    ORDER BY c.key LIMIT 1
                ), i.issued_on
            ) AS issued_on,
            coalesce(
                (
                    SELECT c.before ->> 'due_on' FROM main.correction AS c
                    WHERE c.invoice_key = i.key AND c.entry_key > ?10 AND c.before ->> 'due_on' IS NOT NULL
                    ORDER BY c.key LIMIT 1
                ), i.due_on
            ) AS due_on,
            coalesce(
                (
                    SELECT c.before ->> 'amount_minor' FROM main.correction AS c
                    WHERE c.invoice_key = i.key AND c.entry_key > ?10 AND c.before ->> 'amount_minor' IS NOT NULL
                    ORDER BY c.key LIMIT 1
                ), i.amount_minor
            ) AS amount_minor
        FROM main.invoice AS i
        WHERE coalesce(i.entry_key, 0) <= ?10
    ) AS d
),
allocation AS NOT MATERIALIZED (
    SELECT * FROM main.allocation WHERE coalesce(entry_key, 0) <= ?10
),
payment AS NOT MATERIALIZED (
    SELECT
        p.key,
        nullif(
            coalesce(
                (
                    SELECT c.before ->> 'designation' FROM main.correction AS c
                    WHERE c.payment_key = p.key AND c.entry_key > ?10 AND c.before ->> 'designation' IS NOT NULL
                    ORDER BY c.key LIMIT 1
                ), p.designation
            ), '[]'
        ) AS designation,
        coalesce(
            (
                SELECT c.before ->> 'received_on' FROM main.correction AS c
                WHERE c.payment_key = p.key AND c.entry_key > ?10 AND c.before ->> 'received_on' IS NOT NULL
                ORDER BY c.key LIMIT 1
            ), p.received_on
        ) AS received_on
    FROM main.payment AS p
),
reversal AS NOT MATERIALIZED (
    SELECT
        key, customer_key, payment_key, reversed_on, kind, minor,
        iif(undone_entry_key <= ?10, undone_entry_key, NULL) AS undone_entry_key
    FROM main.reversal
    WHERE coalesce(entry_key, 0) <= ?10
),
dispute AS NOT MATERIALIZED (
    SELECT
        d.key, d.customer_key, d.invoice_key, d.opened_on,
        iif(coalesce(d.resolved_entry_key, 0) > ?10, coalesce(f.minor, d.minor), d.minor) AS minor,
        iif(coalesce(d.resolved_entry_key, 0) > ?10, f.resolved_on, d.resolved_on) AS resolved_on
    FROM main.dispute AS d
    LEFT JOIN main.dispute_former AS f
        ON f.dispute_key = d.key AND f.entry_key <= ?10 AND f.until_entry_key > ?10
    WHERE coalesce(d.entry_key, 0) <= ?10
),
default_record AS NOT MATERIALIZED (
    SELECT
        d.key, d.customer_key, d.found_on, d.kind,
        iif(coalesce(d.closed_entry_key, 0) > ?10, f.closed_on, d.closed_on) AS closed_on,
        iif(coalesce(d.closed_entry_key, 0) > ?10, coalesce(f.state, 'open'), d.state) AS state
    FROM main.default_record AS d
    LEFT JOIN main.default_former AS f
        ON f.default_key = d.key AND f.entry_key <= ?10 AND f.until_entry_key > ?10
    WHERE coalesce(d.entry_key, 0) <= ?10
),
-- What was replaced later is no former record yet, and a change that was not known ends none.
customer_former AS NOT MATERIALIZED (
    SELECT
        f.key, f.customer_key, f.parent_key, f.document, f.entry_key,
        (
            SELECT min(l.replaced_on) FROM main.customer_former AS l
            WHERE l.customer_key = f.customer_key AND l.key >= f.key AND l.entry_key <= ?10
        ) AS until_on
    FROM main.customer_former AS f
    WHERE f.entry_key <= ?10
),
-- Who was replaced later reads as before.
customer AS NOT MATERIALIZED (
    SELECT key, parent_key, limit_minor, limit_currency
    FROM main.customer AS c
    WHERE
        coalesce(entry_key, 0) <= ?10
        AND NOT EXISTS (SELECT 1 FROM main.customer_former AS e WHERE e.customer_key = c.key AND e.entry_key > ?10)
    UNION ALL
    SELECT
        f.customer_key, f.parent_key, f.document ->> '$.credit_limit.minor',
        f.document ->> '$.credit_limit.currency'
    FROM main.customer_former AS f
    CROSS JOIN main.customer AS c ON c.key = f.customer_key
    WHERE
        coalesce(c.entry_key, 0) <= ?10
        AND f.key = (
            SELECT min(e.key) FROM main.customer_former AS e
            WHERE e.customer_key = f.customer_key AND e.entry_key > ?10
        )
),
-- What has no entry of its own was recorded in the moment of one.
customer_change AS NOT MATERIALIZED (
    SELECT * FROM main.customer_change
    WHERE recorded_at <= (SELECT n.at FROM main.audit AS n WHERE n.key = ?10)
),
inbound_event AS NOT MATERIALIZED (
    SELECT * FROM main.inbound_event
    WHERE received_at <= (SELECT n.at FROM main.audit AS n WHERE n.key = ?10)
),
customer_event AS NOT MATERIALIZED (
    SELECT * FROM main.customer_event WHERE coalesce(entry_key, 0) <= ?10
),
guarantee AS NOT MATERIALIZED (
    SELECT
        coalesce(f.customer_key, g.customer_key) AS customer_key,
        iif(f.key IS NULL, g.contract_key, f.contract_key) AS contract_key,
        coalesce(f.document ->> 'kind', g.kind) AS kind,
        coalesce(f.document ->> '$.amount.currency', g.currency) AS currency,
        coalesce(f.document ->> '$.amount.minor', g.amount_minor) AS amount_minor,
        coalesce(f.document ->> 'share', g.share) AS share,
        coalesce(f.document ->> 'valid_from', g.valid_from) AS valid_from,
        iif(f.key IS NULL, g.valid_to, f.document ->> 'valid_to') AS valid_to,
        iif(f.key IS NULL, g.claim_by, f.document ->> 'claim_by') AS claim_by
    FROM main.guarantee AS g
    LEFT JOIN main.guarantee_former AS f ON f.key = (
        SELECT min(e.key) FROM main.guarantee_former AS e WHERE e.guarantee_key = g.key AND e.entry_key > ?10
    )
    WHERE coalesce(g.entry_key, 0) <= ?10
),
contract_version AS NOT MATERIALIZED (
    SELECT * FROM main.contract_version WHERE coalesce(entry_key, 0) <= ?10
),
credit_limit AS NOT MATERIALIZED (
    SELECT * FROM main.credit_limit WHERE counts_key <= ?10
),
limit_policy AS NOT MATERIALIZED (
    SELECT * FROM main.limit_policy WHERE entry_key <= ?10
),
external_fact AS NOT MATERIALIZED (
    SELECT * FROM main.external_fact WHERE coalesce(entry_key, 0) <= ?10
)
SELECT 1
