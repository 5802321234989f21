//! Table `dispute`: debts that the debtor contests.

use crate::{Db, Fault, Param, When};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::{
        ledger::{Attachment, Dispute, DisputeOutcome, DisputeReason, DisputeState},
        types::InvoiceKind,
    },
};

/// What the id of a dispute begins with that an invoice recorded as contested brings along.
pub const WHOLE: &str = "whole/";

/// A document that is to be contested.
#[derive(Debug)]
pub struct Target {
    pub key: i64,
    pub customer_key: i64,
    pub kind: InvoiceKind,
    /// What was open on the day.
    pub open_minor: i64,
    /// What of it is contested already.
    pub contested_minor: i64,
}

/// A dispute to add.
#[derive(Debug)]
pub struct New<'a> {
    pub id: &'a Id,
    pub customer_key: i64,
    pub invoice_key: i64,
    pub on: Date,
    pub minor: i64,
    pub reason: DisputeReason,
    pub detail: Option<&'a str>,
    pub evidence: Option<&'a [Attachment]>,
    pub entry: i64,
}

/// How a dispute ended.
#[derive(Debug)]
pub struct End<'a> {
    pub on: Date,
    pub outcome: DisputeOutcome,
    pub upheld_minor: Option<i64>,
    pub detail: Option<&'a str>,
    pub entry: i64,
}

/// A dispute as what its document bears asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    pub invoice_key: i64,
    pub opened_on: Date,
    pub minor: i64,
    pub resolved_on: Option<Date>,
    pub upheld_minor: Option<i64>,
    pub outcome: Option<DisputeOutcome>,
}

/// The document or instalment of this id, with what was open and contested on the day.
pub fn target<D: Db>(db: &D, id: &str, day: Date) -> Result<Option<Target>, Fault> {
    let day = day.to_string();
    let found: Vec<(i64, i64, InvoiceKind, i64, i64)> =
        db.json(sql!("dispute/target.sql"), &[id.into(), (&day).into()])?;
    let target = |(key, customer_key, kind, open_minor, contested_minor)| Target {
        key,
        customer_key,
        kind,
        open_minor,
        contested_minor,
    };
    Ok(found.into_iter().next().map(target))
}

/// Adds a dispute whose id is new.
pub fn insert<D: Db>(db: &D, new: &New<'_>) -> Result<(), Fault> {
    let on = new.on.to_string();
    let evidence = new.evidence.map(crate::array).transpose()?;
    db.execute(
        "INSERT INTO dispute (id, customer_key, invoice_key, opened_on, minor, reason, detail, evidence, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            new.id.as_str().into(),
            new.customer_key.into(),
            new.invoice_key.into(),
            (&on).into(),
            new.minor.into(),
            new.reason.name().into(),
            new.detail.into(),
            evidence.as_ref().into(),
            new.entry.into(),
        ],
    )?;
    contest(db, new.invoice_key)
}

/// Ends an open dispute and books what was upheld.
pub fn resolve<D: Db>(db: &D, id: &Id, end: &End<'_>) -> Result<(), Fault> {
    let on = end.on.to_string();
    db.execute(
        "UPDATE dispute SET outcome = ?2, resolved_on = ?3, upheld_minor = ?4, resolution = ?5, resolved_entry_key = ?6
         WHERE id = ?1 AND outcome IS NULL",
        &[
            id.as_str().into(),
            end.outcome.name().into(),
            (&on).into(),
            end.upheld_minor.into(),
            end.detail.into(),
            end.entry.into(),
        ],
    )?;
    db.execute(
        "INSERT INTO adjustment (id, customer_key, invoice_key, booked_on, minor, difference, entry_key)
         SELECT 'dispute/' || id, customer_key, invoice_key, resolved_on, upheld_minor, 'dispute-upheld', ?2
         FROM dispute WHERE id = ?1 AND upheld_minor > 0",
        &[id.as_str().into(), end.entry.into()],
    )?;
    let (_, invoice_key) = keys(db, id)?;
    contest(db, invoice_key)
}

/// The customer and the document of a dispute.
pub fn keys<D: Db>(db: &D, id: &Id) -> Result<(i64, i64), Fault> {
    let row = db.first(
        "SELECT customer_key, invoice_key FROM dispute WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    let row = row.ok_or_else(|| Fault::Db("a dispute is gone while it is written".into()))?;
    Ok((row.int(0)?, row.int(1)?))
}

/// Brings what the document's row says into line with its open disputes.
fn contest<D: Db>(db: &D, invoice_key: i64) -> Result<(), Fault> {
    db.execute(
        "UPDATE invoice SET disputed = d.count > 0, disputed_minor = min(d.minor, amount_minor)
         FROM (
             SELECT count(*) AS count, coalesce(sum(minor), 0) AS minor FROM dispute
             WHERE invoice_key = ?1 AND outcome IS NULL
         ) AS d
         WHERE key = ?1",
        &[invoice_key.into()],
    )?;
    Ok(())
}

/// Opens a dispute of the whole for each document after this key that was recorded as contested.
pub fn open_whole<D: Db>(db: &D, last_invoice: i64, entry: Option<i64>) -> Result<(), Fault> {
    db.execute(sql!("dispute/open_whole.sql"), &[last_invoice.into(), entry.into()])?;
    db.execute(
        "UPDATE invoice SET disputed_minor = amount_minor
         WHERE key > ?1 AND disputed = 1",
        &[last_invoice.into()],
    )?;
    Ok(())
}

/// The disputes of these documents, open and ended. With `known`, as they were known when that was the last entry of
/// the audit chain.
pub fn of_invoices<D: Db>(
    db: &D,
    keys: &[i64],
    known: Option<i64>,
) -> Result<Vec<Contested>, Fault> {
    type Found = (i64, Date, i64, Option<Date>, Option<i64>, Option<DisputeOutcome>);
    let keys = crate::array(keys)?;
    let found: Vec<Found> =
        db.json(sql!("dispute/of_invoices.sql"), &[(&keys).into(), known.into()])?;
    let contested = |(invoice_key, opened_on, minor, resolved_on, upheld_minor, outcome): Found| {
        Contested { invoice_key, opened_on, minor, resolved_on, upheld_minor, outcome }
    };
    Ok(found.into_iter().map(contested).collect())
}

/// The dispute of this id.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<Dispute>, Fault> {
    then(db, id, When::ALL)
}

/// The dispute of this id as it stood on a day and was known then. `None` also when it was not there.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Option<Dispute>, Fault> {
    Ok(select(db, "", 1, None, Some(id), None, when)?.pop())
}

/// Disputes after an id: everybody's or one customer's, in any state or in one, as they stood on a
/// day and were known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    state: Option<DisputeState>,
    when: When,
) -> Result<Vec<Dispute>, Fault> {
    select(db, after, limit, customer, None, state, when)
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    only: Option<&Id>,
    state: Option<DisputeState>,
    when: When,
) -> Result<Vec<Dispute>, Fault> {
    type Head = (
        Id,
        String,
        Id,
        Date,
        i64,
        Currency,
        DisputeReason,
        Option<String>,
        Option<Vec<Attachment>>,
    );
    type Tail = (Option<DisputeOutcome>, Option<Date>, Option<i64>, Option<String>);
    let day = when.day.to_string();
    let params: [Param<'_>; 7] = [
        after.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        only.map(Id::as_str).into(),
        state.map(DisputeState::name).into(),
        (&day).into(),
        when.known.into(),
    ];
    let found: Vec<(Head, Tail)> = db.json(sql!("dispute/page.sql"), &params)?;
    let dispute = |(head, tail): (Head, Tail)| {
        let (id, invoice_id, customer_id, on, minor, currency, reason, detail, evidence) = head;
        let (outcome, resolved_on, upheld_minor, resolution) = tail;
        let state = if outcome.is_some() { DisputeState::Resolved } else { DisputeState::Open };
        Dispute {
            id,
            invoice_id,
            customer_id,
            on,
            amount: Money { minor, currency },
            reason,
            detail,
            evidence,
            state,
            outcome,
            resolved_on,
            upheld_minor,
            resolution,
        }
    };
    Ok(found.into_iter().map(dispute).collect())
}
