-- ?1: rows as [customer_key, invoice_key, ruler, mark, step, base_minor, base_rest, denominator, until_on,
-- accrued_minor, accrued_through].
INSERT INTO accrual
    (customer_key, invoice_key, ruler, mark, step, base_minor, base_rest, denominator, until_on, accrued_minor,
     accrued_through)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9, value ->> 10
FROM json_each(?1)
WHERE true
ON CONFLICT (customer_key, invoice_key) DO UPDATE SET
    ruler = excluded.ruler,
    mark = excluded.mark,
    step = excluded.step,
    base_minor = excluded.base_minor,
    base_rest = excluded.base_rest,
    denominator = excluded.denominator,
    until_on = excluded.until_on,
    accrued_minor = excluded.accrued_minor,
    accrued_through = excluded.accrued_through
