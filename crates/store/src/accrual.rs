//! Tables `accrual` and `accrual_look`: the late interest of overdue documents as the sweep keeps it.
//!
//! Nothing is known here that does not follow from the ledger: a line that is lost is worked out again.

use crate::{Db, Fault, Param, arrears::Range, sweep::Before};
use dunlin_domain::{
    Currency, Date,
    day_count::Ruler,
    interest::{Contested, Watermark},
};

/// A claim with what bears on its interest.
#[derive(Clone, Debug)]
pub struct Item {
    pub customer_key: i64,
    pub invoice_key: i64,
    pub issued_on: Date,
    pub due_on: Date,
    pub amount_minor: i64,
    pub currency: Currency,
    /// The version of the contract it is under.
    pub version_key: Option<i64>,
    pub signed_on: Option<Date>,
    /// What was taken off on which day.
    pub changes: Vec<(Date, i64)>,
    pub disputes: Vec<Contested>,
    /// The invoice it is an instalment of.
    pub parent_key: Option<i64>,
}

/// A row of `items.sql`.
type Found = (
    i64,
    i64,
    Date,
    Date,
    i64,
    Currency,
    Option<i64>,
    Option<Date>,
    Vec<(Date, i64)>,
    Vec<(Date, i64, Option<Date>, i64)>,
    Option<i64>,
);

/// The interest of a document up to a day, and how it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub customer_key: i64,
    pub invoice_key: i64,
    pub watermark: Watermark,
    pub accrued_minor: i64,
    pub through: Date,
}

/// Keys of the documents of the range whose line is not known or does not reach the day, and how many have a line.
/// `before` is the sweep that worked them out last; without it all that are overdue are new.
pub fn to_work_out<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    before: Option<&Before>,
    policy_has_clause: bool,
) -> Result<(Vec<i64>, u64), Fault> {
    let day = day.to_string();
    let since = before.map(|before| before.day.to_string()).unwrap_or_default();
    let params: [Param<'_>; 6] = [
        range.after.into(),
        range.upto.into(),
        (&day).into(),
        (&since).into(),
        before.map_or(0, |before| before.invoices_upto).into(),
        i64::from(policy_has_clause).into(),
    ];
    db.json(sql!("accrual/to_work_out.sql"), &params)
}

/// These documents by what was known with an audit entry, in the order of the keys given.
pub fn items<D: Db>(db: &D, invoices: &[i64], known: i64) -> Result<Vec<Item>, Fault> {
    let keys = crate::array(invoices)?;
    let params: [Param<'_>; 2] = [(&keys).into(), known.into()];
    let found: Vec<Found> = db.json(sql!("accrual/items.sql"), &params)?;
    let contested = |(on, minor, decided, upheld): (Date, i64, Option<Date>, i64)| Contested {
        on,
        minor,
        decided: decided.map(|day| (day, upheld)),
    };
    let item = |row: Found| Item {
        customer_key: row.0,
        invoice_key: row.1,
        issued_on: row.2,
        due_on: row.3,
        amount_minor: row.4,
        currency: row.5,
        version_key: row.6,
        signed_on: row.7,
        changes: row.8,
        disputes: row.9.into_iter().map(contested).collect(),
        parent_key: row.10,
    };
    Ok(found.into_iter().map(item).collect())
}

/// The keys of all instalments of these invoices.
pub fn instalments<D: Db>(db: &D, invoices: &[i64]) -> Result<Vec<i64>, Fault> {
    let keys = crate::array(invoices)?;
    db.json(
        "SELECT json_group_array(i.key) FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.parent_key = j.value",
        &[(&keys).into()],
    )
}

/// Stores lines, in place of what was there.
pub fn put_all<D: Db>(db: &D, lines: &[Line]) -> Result<(), Fault> {
    if lines.is_empty() {
        return Ok(());
    }
    let row = |line: &Line| {
        let of = line.watermark;
        (
            line.customer_key,
            line.invoice_key,
            of.ruler.number(),
            of.mark,
            of.step,
            of.base_minor,
            of.base_rest,
            of.denominator,
            of.until,
            line.accrued_minor,
            line.through,
        )
    };
    let rows = crate::array(&lines.iter().map(row).collect::<Vec<_>>())?;
    db.execute(sql!("accrual/put_all.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Brings all lines of the range that hold on the day up to it.
pub fn move_on<D: Db>(db: &D, range: Range, day: Date) -> Result<(), Fault> {
    let text = day.to_string();
    let mut params: Vec<Param<'_>> = vec![range.after.into(), range.upto.into(), (&text).into()];
    params.extend(Ruler::ALL.iter().map(|ruler| Param::from(ruler.through(day))));
    db.execute(sql!("accrual/move_on.sql"), &params)?;
    Ok(())
}

/// How many documents of the range have a line.
pub fn count<D: Db>(db: &D, range: Range) -> Result<u64, Fault> {
    let count = db.int(
        "SELECT count(*) FROM accrual INDEXED BY accrual_by_end WHERE customer_key > ?1 AND customer_key <= ?2",
        &[range.after.into(), range.upto.into()],
    )?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The lines of the range: for tests, and for whoever checks the books.
pub fn of_range<D: Db>(db: &D, range: Range) -> Result<Vec<(i64, i64, i64, Date)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(customer_key, invoice_key, accrued_minor, accrued_through))
         FROM accrual WHERE customer_key > ?1 AND customer_key <= ?2",
        &[range.after.into(), range.upto.into()],
    )
}

/// Has the interest of these customers worked out anew: something of theirs changed.
pub fn mark<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    let customers = crate::array(customers)?;
    db.execute(
        "INSERT INTO accrual_look (customer_key) SELECT value FROM json_each(?1) WHERE true
         ON CONFLICT (customer_key) DO NOTHING",
        &[(&customers).into()],
    )?;
    Ok(())
}

/// Has the interest of everybody who has any worked out anew: rates changed.
pub fn mark_all<D: Db>(db: &D) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO accrual_look (customer_key) SELECT DISTINCT customer_key FROM accrual WHERE true
         ON CONFLICT (customer_key) DO NOTHING",
        &[],
    )?;
    Ok(())
}

/// Notes that the customers of the range were looked at.
pub fn looked<D: Db>(db: &D, range: Range) -> Result<(), Fault> {
    db.execute(
        "DELETE FROM accrual_look WHERE customer_key > ?1 AND customer_key <= ?2",
        &[range.after.into(), range.upto.into()],
    )?;
    Ok(())
}

/// Forgets the lines of the range: the policy changed, or the documents went to another customer, who is to be marked.
pub fn forget<D: Db>(db: &D, range: Range) -> Result<(), Fault> {
    db.execute(
        "DELETE FROM accrual WHERE customer_key > ?1 AND customer_key <= ?2",
        &[range.after.into(), range.upto.into()],
    )?;
    Ok(())
}
