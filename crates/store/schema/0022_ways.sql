-- Voids of documents, beside write-offs and upheld disputes. Other tables refer to adjustments, so that the column is
-- replaced and not the table.

ALTER TABLE adjustment ADD COLUMN reason TEXT NOT NULL DEFAULT 'write-off' CHECK (reason IN (<difference>));

UPDATE adjustment SET reason = difference;

ALTER TABLE adjustment DROP COLUMN difference;

ALTER TABLE adjustment RENAME COLUMN reason TO difference;
