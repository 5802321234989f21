-- What is asked of checks and reservations by lists. A check that passes, which is nearly every one, is in no index more.

CREATE INDEX credit_check_not_passed ON credit_check (verdict, key) WHERE verdict <> 'pass';

CREATE INDEX credit_reservation_by_order ON credit_reservation (order_id, key) WHERE order_id IS NOT NULL;

-- What keeps an amount free now is found by its end.
CREATE INDEX credit_reservation_held ON credit_reservation (until_at) WHERE state = 'held';
