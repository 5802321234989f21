//! Payments and credit notes meet invoices: what is recorded is brought into line with what the documents say.

use dunlin_domain::{Instant, allocation};
use dunlin_store::{Db, Fault, allocation as table, arrears};

/// Customers replayed at a time: their documents are in memory together.
const SLICE: usize = 500;

/// Replays every customer whose allocations the documents added after these keys may change. Runs inside the
/// transaction that added them.
pub fn after<D: Db>(
    db: &D,
    last_invoice: i64,
    last_payment: i64,
    at: Instant,
) -> Result<(), Fault> {
    let customers = table::affected(db, last_invoice, last_payment)?;
    for slice in customers.chunks(SLICE) {
        let mut corrections = Vec::new();
        for ((customer, _), book) in table::books(db, slice)? {
            let wanted = allocation::replay(&book.claims, &book.credits);
            let rows = allocation::corrections(&book.recorded, &wanted);
            corrections.extend(rows.into_iter().map(|row| (customer, row)));
        }
        table::record(db, &corrections, at)?;
        arrears::look_again(db, slice)?;
    }
    Ok(())
}
