-- What credits were set against, by customer: few rows, which what somebody bought is less by.

CREATE INDEX allocation_credited ON allocation (customer_key, invoice_key, allocated_on, amount_minor, credit_key)
    WHERE credit_key IS NOT NULL;
