-- A shop asks for the holds of its order.
CREATE INDEX credit_hold_by_order ON credit_hold (order_id, key) WHERE order_id IS NOT NULL;
