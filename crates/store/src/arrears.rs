//! Table `arrears`: what each customer owes in each currency, as the last sweep found it.

use crate::{Db, Fault, Param, facts};
use dunlin_domain::{
    Currency, Date, Id,
    contract::{remind::NoticeLevel, types::Language},
};

/// A range of customers by key: after the first, up to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub after: i64,
    pub upto: i64,
}

impl Range {
    /// The next so many customers after a key. `None` when there are no more.
    pub fn next<D: Db>(db: &D, after: i64, customers: u32) -> Result<Option<Self>, Fault> {
        let row = db.first(
            "SELECT coalesce(max(key), -1) FROM (SELECT key FROM customer WHERE key > ?1 ORDER BY key LIMIT ?2)",
            &[after.into(), i64::from(customers).into()],
        )?;
        let upto = row.map_or(Ok(-1), |row| row.int(0))?;
        Ok((upto >= 0).then_some(Self { after, upto }))
    }
}

/// What one customer owes in one currency: customer, currency, outstanding, overdue, unapplied, since when something is
/// overdue that somebody would be reminded of, and of that the oldest due date and how much it is where it is so since the
/// day of the sweep: else of all that is open, and of all that is overdue.
pub type Owed = (i64, Currency, i64, i64, i64, Option<Date>, Option<Date>, i64);

/// A customer and currency to look at: customer, id, name, language, currency, unapplied, last notice.
pub type Account = (i64, Id, String, Option<Language>, Currency, i64, Option<Date>);

/// An open item: customer, currency, invoice, id, due, open, disputed, reminded level.
pub type Item = (i64, Currency, i64, Id, Date, i64, i64, Option<NoticeLevel>);

/// When to look at a customer and currency again, and the day of a notice that was just written.
pub type Action = (i64, Currency, Option<Date>, Option<Date>);

/// Writes what the customers of the range owe on the day, and says how many owe anything.
pub fn age<D: Db>(db: &D, range: Range, day: Date) -> Result<u64, Fault> {
    let day = day.to_string();
    let tolerances = facts::tolerances()?;
    let [after, upto]: [Param<'_>; 2] = [range.after.into(), range.upto.into()];
    let params = [after, upto, (&day).into(), (&tolerances).into()];
    db.execute(sql!("arrears/age_range.sql"), &params)?;
    let owing = db.int(
        "SELECT count(DISTINCT customer_key) FROM arrears
         WHERE customer_key > ?1 AND customer_key <= ?2 AND as_of = ?3 AND outstanding_minor > 0",
        &[after, upto, (&day).into()],
    )?;
    Ok(u64::try_from(owing).unwrap_or(0))
}

/// What the customers of the range owed at the day's sweep.
pub fn of_range<D: Db>(db: &D, range: Range, day: Date) -> Result<Vec<Owed>, Fault> {
    let (day, tolerances) = (day.to_string(), facts::tolerances()?);
    let params = [range.after.into(), range.upto.into(), (&day).into(), (&tolerances).into()];
    db.json(sql!("arrears/of_range.sql"), &params)
}

/// What the customers of the range owed at their last sweep.
pub fn last_of_range<D: Db>(db: &D, range: Range) -> Result<Vec<Owed>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(
             customer_key, currency, outstanding_minor, overdue_minor, unapplied_minor, overdue_since, oldest_due_on,
             overdue_minor
         ))
         FROM arrears WHERE customer_key > ?1 AND customer_key <= ?2",
        &[range.after.into(), range.upto.into()],
    )
}

/// The whole book by currency: outstanding, and how many customers owe.
pub fn book<D: Db>(db: &D) -> Result<Vec<(Currency, i64, u32)>, Fault> {
    db.json(sql!("arrears/book.sql"), &[])
}

/// The same on a past day.
pub fn book_then<D: Db>(db: &D, day: Date) -> Result<Vec<(Currency, i64, u32)>, Fault> {
    let day = day.to_string();
    db.json(sql!("arrears/book_then.sql"), &[(&day).into()])
}

/// The customers and currencies of the range whose next action has come.
pub fn to_look_at<D: Db>(db: &D, range: Range, day: Date) -> Result<Vec<Account>, Fault> {
    let day = day.to_string();
    db.json(sql!("arrears/to_look_at.sql"), &[range.after.into(), range.upto.into(), (&day).into()])
}

/// The items open on the day of those customers and currencies.
pub fn open_items<D: Db>(db: &D, range: Range, day: Date) -> Result<Vec<Item>, Fault> {
    let day = day.to_string();
    db.json(sql!("arrears/open_items.sql"), &[range.after.into(), range.upto.into(), (&day).into()])
}

/// Notes when to look again.
pub fn set_actions<D: Db>(db: &D, actions: &[Action]) -> Result<(), Fault> {
    let actions = crate::array(actions)?;
    db.execute(sql!("arrears/set_actions.sql"), &[(&actions).into()])?;
    Ok(())
}

/// Has these customers looked at again: what they owe was rearranged in a way that no sum shows.
pub fn look_again<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    let customers = crate::array(customers)?;
    db.execute(
        "UPDATE arrears SET next_action_on = as_of WHERE customer_key IN (SELECT value FROM json_each(?1))",
        &[(&customers).into()],
    )?;
    Ok(())
}

/// How many customers have anything overdue.
pub fn customers_overdue<D: Db>(db: &D) -> Result<u32, Fault> {
    let count =
        db.int("SELECT count(DISTINCT customer_key) FROM arrears WHERE overdue_minor > 0", &[])?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
