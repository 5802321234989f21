//! Payments and credit notes meet invoices: what is recorded is brought into line with what the documents say.

use dunlin_domain::{Currency, Instant, Refusal, Refused, allocation, money::MAX_TOTAL_MINOR};
use dunlin_store::{
    Db, Fault, accrual,
    allocation::{self as table, Owing},
    arrears, dispute, payment, policy, score,
};

/// Customers replayed at a time: their documents are in memory together.
const SLICE: usize = 500;

/// Replays these customers: what is recorded of their allocations is brought into line with what their documents say.
/// Runs inside the transaction that changed something; `entry` is the audit entry of the change.
pub fn customers<D: Db>(
    db: &D,
    customers: &[i64],
    at: Instant,
    entry: Option<i64>,
) -> Result<(), Fault> {
    corrected(db, customers, &Owing::default(), at, entry)
}

/// The same after amounts were changed, with what the change left to be put right.
pub fn corrected<D: Db>(
    db: &D,
    customers: &[i64],
    owing: &Owing,
    at: Instant,
    entry: Option<i64>,
) -> Result<(), Fault> {
    let policy = policy::current(db)?;
    let mut owing = owing.clone();
    for slice in customers.chunks(SLICE) {
        let (mut corrections, mut shares) = (Vec::new(), Vec::new());
        let books = table::books(db, slice, &policy)?;
        for ((customer, currency), book) in books.of {
            let claimed = book.claims.iter().map(|claim| claim.amount_minor);
            let received = book.credits.iter().map(|credit| credit.amount_minor);
            if beyond(claimed) || beyond(received) {
                return Err(too_much(currency).into());
            }
            let (claims, credits) = (&book.claims, &book.credits);
            let (wanted, found) =
                allocation::replay_disputed(claims, credits, &book.wholes, &books.orders);
            let rows = allocation::corrections(&book.recorded, &wanted);
            corrections.extend(rows.into_iter().map(|row| (customer, row)));
            shares.extend(found.into_iter().filter(|share| !book.shares.contains(share)));
        }
        table::record(db, &corrections, &std::mem::take(&mut owing), at, entry)?;
        dispute::share(db, &shares, entry)?;
        look_again(db, slice)?;
    }
    Ok(())
}

/// Whether amounts come to more than one customer may have.
fn beyond(mut amounts: impl Iterator<Item = i64>) -> bool {
    let mut left = MAX_TOTAL_MINOR;
    amounts.any(|minor| {
        left = left.saturating_sub(minor);
        left < 0
    })
}

fn too_much(currency: Currency) -> Refused {
    let detail = format!(
        "with it one customer's documents or payments in {currency} come to more than {MAX_TOTAL_MINOR}"
    );
    Refused::new(Refusal::AmountTooLarge, detail).at("amount")
}

/// Brings the allocations of every customer that the documents added after these keys may change into line. Runs inside
/// the transaction that added them. New payments that move nothing else are set against what they name as they are; who
/// has any other is replayed.
pub fn after<D: Db>(
    db: &D,
    last_invoice: i64,
    last_payment: i64,
    at: Instant,
    entry: Option<i64>,
) -> Result<(), Fault> {
    if let Some(currency) = table::too_much_since(db, last_invoice)? {
        return Err(too_much(currency).into());
    }
    // Who has nothing to allocate is not replayed, and owes more all the same.
    score::outdate_since(db, last_invoice)?;
    let affected = table::affected(db, last_invoice, last_payment)?;
    let policy = policy::current(db)?;
    let paid = payment::last_key(db)? > last_payment;
    for slice in affected.chunks(SLICE) {
        let plain = match paid {
            true => table::append(db, slice, last_payment, &policy, at, entry)?,
            false => Vec::new(),
        };
        look_again(db, &plain)?;
        let others: Vec<i64> = slice.iter().filter(|key| !plain.contains(key)).copied().collect();
        if paid && !others.is_empty() {
            payment::free(db, &others, last_payment)?;
        }
        customers(db, &others, at, entry)?;
    }
    Ok(())
}

/// What is worked out of allocations is worked out anew for these customers.
fn look_again<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    arrears::look_again(db, customers)?;
    score::outdate(db, customers)?;
    accrual::mark(db, customers)
}
