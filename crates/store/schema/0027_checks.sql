-- Which state of an order was written last, as its source numbers them: null where the source says nothing.
ALTER TABLE credit_order ADD COLUMN version INTEGER;
