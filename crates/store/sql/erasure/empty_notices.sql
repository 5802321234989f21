-- ?1: a customer's key, ?2: what stands in the place of the texts. What was not handed over yet is not any more: its
-- text is gone.
UPDATE notice
SET
    subject = ?2, body = ?2,
    next_attempt_at = CASE WHEN state = 'queued' THEN NULL ELSE next_attempt_at END,
    state = CASE WHEN state = 'queued' THEN 'failed' ELSE state END
WHERE customer_key = ?1 AND (subject <> ?2 OR body <> ?2)
RETURNING key
