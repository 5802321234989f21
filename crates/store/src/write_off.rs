//! Table `write_off`: debts given up.

use crate::{Db, Fault, When};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::ledger::{WriteOff, WriteOffState},
};

type Row = (Id, Id, Id, Date, i64, Currency, Decided, Reversed, Date);
/// The reason, the state, who asked and who decided, and how much stands.
type Decided = (String, WriteOffState, String, Option<String>, i64);
/// When it was taken back, by whom and why.
type Reversed = (Option<Date>, Option<String>, Option<String>);

/// A write-off to be kept.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub id: &'a Id,
    pub invoice_key: i64,
    pub on: Date,
    pub minor: i64,
    pub reason: &'a str,
    pub state: WriteOffState,
    pub asked_by: &'a str,
    pub entry: i64,
}

/// Keeps a write-off.
pub fn insert<D: Db>(db: &D, new: &New<'_>) -> Result<(), Fault> {
    let on = new.on.to_string();
    db.execute(
        "INSERT INTO write_off (id, invoice_key, booked_on, minor, reason, state, asked_by, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            new.id.as_str().into(),
            new.invoice_key.into(),
            (&on).into(),
            new.minor.into(),
            new.reason.into(),
            new.state.name().into(),
            new.asked_by.into(),
            new.entry.into(),
        ],
    )?;
    Ok(())
}

/// What was asked to be written off of the document, all its instalments together, and was neither turned down nor
/// taken back.
pub fn asked<D: Db>(db: &D, invoice_key: i64) -> Result<i64, Fault> {
    let (refused, reversed) = (WriteOffState::Refused.name(), WriteOffState::Reversed.name());
    let sql = sql!("write_off/asked.sql");
    db.int(sql, &[invoice_key.into(), refused.into(), reversed.into()])
}

/// Notes what became of a write-off that waited.
pub fn decide<D: Db>(
    db: &D,
    id: &Id,
    state: WriteOffState,
    by: &str,
    entry: i64,
) -> Result<(), Fault> {
    db.execute(
        "UPDATE write_off SET state = ?2, decided_by = ?3, decided_entry_key = ?4 WHERE id = ?1",
        &[id.as_str().into(), state.name().into(), by.into(), entry.into()],
    )?;
    Ok(())
}

/// Notes that a write-off was taken back.
pub fn reverse<D: Db>(
    db: &D,
    id: &Id,
    on: Date,
    by: &str,
    reason: &str,
    entry: i64,
) -> Result<(), Fault> {
    let on = on.to_string();
    db.execute(
        "UPDATE write_off SET state = ?2, reversed_on = ?3, reversed_by = ?4, reversal_reason = ?5,
             reversed_entry_key = ?6
         WHERE id = ?1",
        &[
            id.as_str().into(),
            WriteOffState::Reversed.name().into(),
            (&on).into(),
            by.into(),
            reason.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// The write-off of this id as it was said, whatever day its document has by now.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<WriteOff>, Fault> {
    Ok(select(db, "", 1, Some(id), None, When::ALL)?.pop().map(|(write_off, _)| write_off))
}

/// The write-off of this id as it stood on a day and was known then. `None` also when it was not there.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Option<WriteOff>, Fault> {
    Ok(select(db, "", 1, Some(id), None, when)?.pop().map(counting))
}

/// With the days that count: none before its document is there.
fn counting((write_off, issued_on): (WriteOff, Date)) -> WriteOff {
    WriteOff {
        on: write_off.on.max(issued_on),
        reversed_on: write_off.reversed_on.map(|on| on.max(issued_on)),
        ..write_off
    }
}

/// Write-offs after an id, of one customer when given, as they stood on a day and were known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    when: When,
) -> Result<Vec<WriteOff>, Fault> {
    let found = select(db, after, limit, None, customer, when)?;
    Ok(found.into_iter().map(counting).collect())
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    only: Option<&Id>,
    customer: Option<&Id>,
    when: When,
) -> Result<Vec<(WriteOff, Date)>, Fault> {
    let day = when.day.to_string();
    let rows: Vec<Row> = db.json(
        sql!("write_off/page.sql"),
        &[
            after.into(),
            i64::from(limit).into(),
            only.map(Id::as_str).into(),
            customer.map(Id::as_str).into(),
            (&day).into(),
            when.known.into(),
        ],
    )?;
    let write_off = |row: Row| {
        let (id, invoice_id, customer_id, on, minor, currency, decided, back, issued_on) = row;
        let (reason, state, asked_by, decided_by, standing_minor) = decided;
        let (reversed_on, reversed_by, reversal_reason) = back;
        let write_off = WriteOff {
            id,
            invoice_id,
            customer_id,
            on,
            amount: Money { minor, currency },
            reason,
            state,
            standing_minor,
            asked_by,
            decided_by,
            reversed_on,
            reversed_by,
            reversal_reason,
        };
        (write_off, issued_on)
    };
    Ok(rows.into_iter().map(write_off).collect())
}
