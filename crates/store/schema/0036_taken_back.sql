-- What somebody took back who withdrew a default that the rule had opened, what a cross-default rests on, and changes of
-- customers that are known late.

-- The default of another account of the group on which a cross-default rests.
ALTER TABLE default_record ADD COLUMN rests_on_key INTEGER REFERENCES default_record (key);

UPDATE default_record
SET
    rests_on_key = (
        SELECT max(o.key)
        FROM customer AS c CROSS JOIN default_record AS o ON o.customer_key = c.key
        WHERE
            c.id = replace(replace(default_record.reason, 'default-rule@1: ', ''), ' of the same group is in default', '')
            AND o.by_rule = 1 AND o.invoice_key IS NOT NULL AND o.found_on <= default_record.found_on
    )
WHERE by_rule = 1 AND invoice_key IS NULL;

-- What a withdrawal was about: the documents of the account that were due by its day, and the defaults of the group that
-- were open besides. The rule opens nothing over them anew.
CREATE TABLE default_taken_back (
    key INTEGER PRIMARY KEY,
    default_key INTEGER NOT NULL REFERENCES default_record (key),
    invoice_key INTEGER REFERENCES invoice (key),
    other_key INTEGER REFERENCES default_record (key),
    CHECK ((invoice_key IS NULL) <> (other_key IS NULL))
) STRICT;

CREATE INDEX default_taken_back_by_default ON default_taken_back (default_key);

INSERT INTO default_taken_back (default_key, invoice_key)
SELECT d.key, i.key
FROM default_record AS d
CROSS JOIN invoice AS i ON i.customer_key = d.customer_key AND i.currency = d.currency AND i.due_on <= d.closed_on
LEFT JOIN audit AS a ON a.key = d.closed_entry_key
WHERE d.by_rule = 1 AND d.state = 'withdrawn' AND a.action IS NOT 'merge' AND i.kind <> 'credit-note';

INSERT INTO default_taken_back (default_key, other_key)
SELECT d.key, o.key
FROM default_record AS d
CROSS JOIN customer AS c ON c.key = d.customer_key
CROSS JOIN default_record AS o
    ON o.by_rule = 1 AND o.state = 'open' AND o.rests_on_key IS NULL AND o.found_on <= d.closed_on
CROSS JOIN customer AS m ON m.key = o.customer_key AND coalesce(m.parent_key, m.key) = coalesce(c.parent_key, c.key)
LEFT JOIN audit AS a ON a.key = d.closed_entry_key
WHERE d.by_rule = 1 AND d.state = 'withdrawn' AND a.action IS NOT 'merge';

-- The day on which the record was replaced. until_on is that, or the earlier day of a later change: until then it reads so.
ALTER TABLE customer_former ADD COLUMN replaced_on TEXT;

UPDATE customer_former SET replaced_on = until_on;
