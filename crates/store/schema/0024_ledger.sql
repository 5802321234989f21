-- Disputes of documents with instalments: one of the whole, and of each instalment its part.

-- Of a part: the dispute of the whole document, which is resolved for all of its parts.
ALTER TABLE dispute ADD COLUMN whole_key INTEGER REFERENCES dispute (key);

CREATE INDEX dispute_by_whole ON dispute (whole_key) WHERE whole_key IS NOT NULL;

-- Documents that were recorded as contested had one of nothing for the whole and one for each instalment.
UPDATE dispute SET whole_key = (
    SELECT w.key
    FROM invoice AS i CROSS JOIN dispute AS w ON w.invoice_key = i.parent_key
    WHERE i.key = dispute.invoice_key AND w.id LIKE 'whole/%' AND w.minor = 0 AND w.outcome IS NULL
)
WHERE id LIKE 'whole/%' AND outcome IS NULL;

UPDATE dispute SET minor = (SELECT sum(p.minor) FROM dispute AS p WHERE p.whole_key = dispute.key)
WHERE key IN (SELECT whole_key FROM dispute WHERE whole_key IS NOT NULL);

-- Of a part of a payment that was changed into another currency: what it cost in the currency of the payment, and of
-- what went back of it, how much of the payment that is. Null where several parts were priced before this.
ALTER TABLE payment ADD COLUMN cost_minor INTEGER;

ALTER TABLE reversal ADD COLUMN cost_minor INTEGER;

UPDATE payment SET cost_minor = (SELECT w.converted_minor FROM payment AS w WHERE w.key = payment.converted_from_key)
WHERE
    converted_from_key IN (
        SELECT p.converted_from_key FROM payment AS p
        WHERE p.converted_from_key IS NOT NULL
        GROUP BY p.converted_from_key
        HAVING count(*) = 1
    );

UPDATE reversal SET cost_minor = (
    SELECT p.cost_minor FROM payment AS p WHERE p.key = reversal.payment_key AND p.amount_minor = reversal.minor
);
