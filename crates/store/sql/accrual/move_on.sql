-- ?1: after this customer, ?2: up to this one, ?3: the day, ?4 to ?8: where the day stands on each ruler, by its number.
-- Brings every line that holds on the day up to it. domain::interest::Watermark::at is the same in Rust; numbers are
-- only stored where nothing here can overflow up to until_on.
UPDATE accrual
SET
    accrued_minor = base_minor + (
        step * (CASE ruler WHEN 0 THEN ?4 WHEN 1 THEN ?5 WHEN 2 THEN ?6 WHEN 3 THEN ?7 ELSE ?8 END - mark)
        + base_rest + denominator / 2
    ) / denominator,
    accrued_through = ?3
WHERE customer_key > ?1 AND customer_key <= ?2 AND accrued_through < ?3 AND until_on >= ?3 AND step > 0
