-- ?1: key of a document or instalment whose amount was corrected.
-- What is contested of it as a whole, or of the document that it is an instalment of, is what there is of that.
UPDATE dispute
SET minor = (SELECT sum(i.amount_minor) FROM invoice AS i WHERE i.key = dispute.invoice_key OR i.parent_key = dispute.invoice_key)
WHERE
    invoice_key IN (SELECT coalesce(i.parent_key, i.key) FROM invoice AS i WHERE i.key = ?1)
    AND id LIKE 'whole/%' AND outcome IS NULL
