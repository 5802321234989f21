-- ?1: a payment that is a part of another one in another currency.
-- Gives [table, rate, valid_from, source, confirmed] of the row that was in force on its day and known when it was
-- recorded: of the table of the pair, else of the opposite one.
SELECT json_array(r.name, r.rate, r.valid_from, r.source, r.confirmed)
FROM payment AS p
CROSS JOIN payment AS w ON w.key = p.converted_from_key
CROSS JOIN rate AS r ON r.name IN (
    lower('fx-' || p.currency || '-' || w.currency), lower('fx-' || w.currency || '-' || p.currency)
)
WHERE
    p.key = ?1 AND r.valid_from <= p.received_on
    AND (r.entry_key IS NULL OR p.entry_key IS NULL OR r.entry_key < p.entry_key)
ORDER BY r.name = lower('fx-' || p.currency || '-' || w.currency) DESC, r.valid_from DESC, r.key DESC
LIMIT 1
