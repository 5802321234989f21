//! Payments and credit notes meet invoices: what is recorded is brought into line with what the documents say.

use dunlin_domain::{
    Currency, Instant, Refusal, Refused,
    allocation::{self, Allocated, Share},
    money::MAX_TOTAL_MINOR,
    order::Order,
};
use dunlin_store::{
    Db, Fault, accrual,
    allocation::{self as table, Book, Owing},
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
        if let Some(part) = books.nowhere.first() {
            return Err(Fault::Db(format!("nothing has the allocation {part:?}")));
        }
        for ((customer, currency), book) in books.of {
            let replayed = Replayed::of(&book, &books.orders).ok_or_else(|| too_much(currency))?;
            corrections.extend(replayed.corrections.into_iter().map(|row| (customer, row)));
            shares.extend(replayed.shares);
        }
        table::record(db, &corrections, &std::mem::take(&mut owing), at, entry)?;
        dispute::share(db, &shares, entry)?;
        look_again(db, slice)?;
    }
    Ok(())
}

/// What a book should read, and what is missing for it.
pub(crate) struct Replayed {
    /// All parts that there should be.
    pub wanted: Vec<Allocated>,
    /// What is to be added so that they are recorded.
    pub corrections: Vec<Allocated>,
    /// What is to be recorded anew of disputes of documents with instalments.
    pub shares: Vec<Share>,
}

impl Replayed {
    /// `None` where the amounts come to more than one customer may have.
    pub(crate) fn of(book: &Book, orders: &[Order]) -> Option<Self> {
        let (claims, credits) = (&book.claims, &book.credits);
        let claimed = claims.iter().map(|claim| claim.amount_minor);
        let received = credits.iter().map(|credit| credit.amount_minor);
        if beyond(claimed) || beyond(received) {
            return None;
        }
        let (wanted, mut shares) =
            allocation::replay_disputed(claims, credits, &book.wholes, orders);
        let corrections = allocation::corrections(&book.recorded, &wanted);
        shares.retain(|share| !book.shares.contains(share));
        Some(Self { wanted, corrections, shares })
    }
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
