-- What was settled in full for less, by customer: few rows, of which those after the due date were not paid.

CREATE INDEX allocation_settled ON allocation (customer_key, difference_key, invoice_key, allocated_on, amount_minor)
    WHERE difference = 'full-settlement';
