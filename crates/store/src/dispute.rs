//! Table `dispute`: debts that the debtor contests.

use crate::{Db, Fault, Param, When};
use dunlin_domain::{
    Currency, Date, Id, Money,
    allocation::Share,
    contract::{
        ledger::{Attachment, Dispute, DisputeOutcome, DisputePart, DisputeReason, DisputeState},
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
    /// Itself, or its instalments, oldest due first.
    pub claims: Vec<Claim>,
}

/// Something of a document that can be contested.
#[derive(Debug)]
pub struct Claim {
    pub key: i64,
    pub id: Id,
    /// What was open on the day and is not contested already.
    pub left_minor: i64,
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
    /// Of a document with instalments: what the part of each is called, and the instalment's key. How much of it is
    /// contested the replay finds.
    pub parts: &'a [(Id, i64)],
}

/// How a dispute ended, or that it did not.
#[derive(Debug)]
pub struct End<'a> {
    pub on: Option<Date>,
    pub outcome: Option<DisputeOutcome>,
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
    type Found = (i64, i64, InvoiceKind, Vec<(i64, Id, i64, i64)>);
    let day = day.to_string();
    let found: Vec<Found> = db.json(sql!("dispute/target.sql"), &[id.into(), (&day).into()])?;
    let claim = |(key, id, open_minor, contested_minor): (i64, Id, i64, i64)| {
        let left_minor = open_minor.saturating_sub(contested_minor).max(0);
        Claim { key, id, left_minor }
    };
    let target = |(key, customer_key, kind, claims): Found| Target {
        key,
        customer_key,
        kind,
        claims: claims.into_iter().map(claim).collect(),
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
    if !new.parts.is_empty() {
        let whole = db.int("SELECT key FROM dispute WHERE id = ?1", &[new.id.as_str().into()])?;
        let parts = crate::array(new.parts)?;
        db.execute(sql!("dispute/insert_parts.sql"), &[whole.into(), (&parts).into()])?;
    }
    let key = new.invoice_key;
    contest(db, &[key])
}

/// Records what the replay finds of the parts of disputes. What was recorded before is kept beside.
pub fn share<D: Db>(db: &D, shares: &[Share], entry: Option<i64>) -> Result<(), Fault> {
    if shares.is_empty() {
        return Ok(());
    }
    let row = |of: &Share| (of.whole, of.claim, of.minor, of.upheld_minor);
    let rows = crate::array(&shares.iter().map(row).collect::<Vec<_>>())?;
    db.execute(sql!("dispute/keep_shares.sql"), &[(&rows).into(), entry.into()])?;
    db.execute(sql!("dispute/share.sql"), &[(&rows).into(), entry.into()])?;
    let claims: Vec<i64> = shares.iter().map(|share| share.claim).collect();
    contest(db, &claims)
}

/// What is contested as a whole and not decided is all of it, whatever the document or an instalment of it was corrected
/// to.
pub fn follow<D: Db>(db: &D, invoice_key: i64) -> Result<(), Fault> {
    db.execute(sql!("dispute/follow.sql"), &[invoice_key.into()])?;
    contest(db, &[invoice_key])
}

/// The first of these ids that a dispute has.
pub fn taken<D: Db>(db: &D, ids: &[&Id]) -> Result<Option<Id>, Fault> {
    let ids = crate::array(ids)?;
    let sql = "SELECT json_group_array(d.id) FROM json_each(?1) AS j CROSS JOIN dispute AS d ON d.id = j.value";
    Ok(db.json::<Vec<Id>>(sql, &[(&ids).into()])?.into_iter().next())
}

/// Ends a dispute with its parts and books what was upheld. What was decided before is kept beside, and takes off nothing
/// any more.
pub fn resolve<D: Db>(db: &D, id: &Id, end: &End<'_>) -> Result<(), Fault> {
    db.execute(sql!("dispute/keep_former.sql"), &[id.as_str().into(), end.entry.into()])?;
    db.execute(sql!("dispute/take_back.sql"), &[id.as_str().into()])?;
    let on = end.on.map(|on| on.to_string());
    db.execute(
        sql!("dispute/resolve.sql"),
        &[
            id.as_str().into(),
            end.outcome.map(DisputeOutcome::name).into(),
            on.as_ref().into(),
            end.upheld_minor.into(),
            end.detail.into(),
            end.entry.into(),
        ],
    )?;
    db.execute(sql!("dispute/book_upheld.sql"), &[id.as_str().into(), end.entry.into()])?;
    let sql = "SELECT json_group_array(p.invoice_key) FROM dispute AS d CROSS JOIN dispute AS p
        ON p.key = d.key OR p.whole_key = d.key WHERE d.id = ?1";
    contest(db, &db.json::<Vec<i64>>(sql, &[id.as_str().into()])?)
}

/// What was said of a dispute, one thing after the other: the last is what stands. Outcome, day, how much was upheld, in
/// words.
pub type Said = (Option<DisputeOutcome>, Option<Date>, Option<i64>, Option<String>);

/// All that was said of how a dispute ended, or that it did not.
pub fn said<D: Db>(db: &D, id: &Id) -> Result<Vec<Said>, Fault> {
    let sql =
        "SELECT json_group_array(json_array(outcome, resolved_on, upheld_minor, resolution)) FROM (
        SELECT f.outcome, f.resolved_on, f.upheld_minor, f.resolution, f.entry_key
        FROM dispute AS d CROSS JOIN dispute_former AS f ON f.dispute_key = d.key WHERE d.id = ?1
        UNION ALL
        SELECT outcome, resolved_on, upheld_minor, resolution, coalesce(resolved_entry_key, 0)
        FROM dispute WHERE id = ?1
        ORDER BY 5)";
    db.json(sql, &[id.as_str().into()])
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

/// Brings what documents' rows say into line with their open disputes.
fn contest<D: Db>(db: &D, keys: &[i64]) -> Result<(), Fault> {
    let keys = crate::array(keys)?;
    db.execute(sql!("dispute/contest.sql"), &[(&keys).into()])?;
    Ok(())
}

/// Opens a dispute of the whole for each document after this key that was recorded as contested.
pub fn open_whole<D: Db>(db: &D, last_invoice: i64, entry: Option<i64>) -> Result<(), Fault> {
    db.execute(sql!("dispute/open_whole.sql"), &[last_invoice.into(), entry.into()])?;
    db.execute(
        "UPDATE dispute SET minor = (SELECT sum(p.minor) FROM dispute AS p WHERE p.whole_key = dispute.key)
         WHERE key IN (SELECT p.whole_key FROM dispute AS p WHERE p.whole_key IS NOT NULL AND p.invoice_key > ?1)",
        &[last_invoice.into()],
    )?;
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

/// The dispute of this id as it was said, whatever day its document has by now.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<Dispute>, Fault> {
    let found = select(db, "", 1, None, Some(id), None, When::ALL)?.pop();
    Ok(found.map(|(dispute, _)| dispute))
}

/// The dispute of this id as it stood on a day and was known then. `None` also when it was not there.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Option<Dispute>, Fault> {
    Ok(select(db, "", 1, None, Some(id), None, when)?.pop().map(counting))
}

/// With the days that count: none before its document is there.
fn counting((dispute, issued_on): (Dispute, Date)) -> Dispute {
    Dispute {
        on: dispute.on.max(issued_on),
        resolved_on: dispute.resolved_on.map(|on| on.max(issued_on)),
        ..dispute
    }
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
    let found = select(db, after, limit, customer, None, state, when)?;
    Ok(found.into_iter().map(counting).collect())
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    only: Option<&Id>,
    state: Option<DisputeState>,
    when: When,
) -> Result<Vec<(Dispute, Date)>, Fault> {
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
    type Tail = (
        Option<DisputeOutcome>,
        Option<Date>,
        Option<i64>,
        Option<String>,
        Option<Id>,
        Option<Vec<DisputePart>>,
    );
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
    let found: Vec<(Head, Tail, Date)> = db.json(sql!("dispute/page.sql"), &params)?;
    let dispute = |(head, tail, issued_on): (Head, Tail, Date)| {
        let (id, invoice_id, customer_id, on, minor, currency, reason, detail, evidence) = head;
        let (outcome, resolved_on, upheld_minor, resolution, part_of, parts) = tail;
        let state = if outcome.is_some() { DisputeState::Resolved } else { DisputeState::Open };
        let dispute = Dispute {
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
            part_of,
            parts,
        };
        (dispute, issued_on)
    };
    Ok(found.into_iter().map(dispute).collect())
}
