-- What was given up by agreement, by customer: few rows, of which those after the due date were not paid.

CREATE INDEX allocation_agreed ON allocation (customer_key, difference_key, invoice_key, allocated_on, amount_minor)
    WHERE difference IN ('agreed', 'full-settlement');
