//! Table `default_record`: what customers failed at.

use crate::{Db, Fault, Param, When, arrears::Range};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::ledger::{Attachment, DefaultKind, DefaultRecord, DefaultState},
};

/// A default to add by hand.
#[derive(Debug)]
pub struct New<'a> {
    pub id: &'a Id,
    pub customer_key: i64,
    pub contract_key: Option<i64>,
    pub invoice_key: Option<i64>,
    pub amount: Option<Money>,
    pub found_on: Date,
    pub kind: DefaultKind,
    pub reason: &'a str,
    pub evidence: Option<&'a [Attachment]>,
    pub entry: i64,
}

/// A default to add by rule: id, customer, document, amount, currency, reason.
pub type ByRule = (Id, i64, Option<i64>, i64, Currency, String);

/// A default that the rule opened: customer, currency, key, id, how much, whether it is open, the id of the default that it
/// rests on, and, where that was withdrawn, by which action.
pub type Opened = (i64, Currency, i64, Id, Option<i64>, bool, Option<Id>, Option<String>);

/// What somebody took back: documents with the day of the withdrawal, and by account what no cross-default may rest on.
pub type TakenBack = (Vec<(i64, Date)>, Vec<(i64, Currency, Id)>);

/// Something overdue: customer, currency, key, id, due, open and not contested, given up and not recovered.
pub type Overdue = (i64, Currency, i64, Id, Date, i64, i64);

/// Adds a default whose id is new.
pub fn insert<D: Db>(db: &D, new: &New<'_>) -> Result<(), Fault> {
    let on = new.found_on.to_string();
    let evidence = new.evidence.map(crate::array).transpose()?;
    db.execute(
        "INSERT INTO default_record
             (id, customer_key, contract_key, invoice_key, amount_minor, currency, found_on, kind, reason, evidence,
              by_rule, state, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 'open', ?11)",
        &[
            new.id.as_str().into(),
            new.customer_key.into(),
            new.contract_key.into(),
            new.invoice_key.into(),
            new.amount.map(|amount| amount.minor).into(),
            new.amount.as_ref().map(|amount| amount.currency.as_str()).into(),
            (&on).into(),
            new.kind.name().into(),
            new.reason.into(),
            evidence.as_ref().into(),
            new.entry.into(),
        ],
    )?;
    Ok(())
}

/// Another default of the same customer and currency that the rule opened and that is open.
pub fn beside<D: Db>(db: &D, id: &Id) -> Result<Option<Id>, Fault> {
    let row = db.first(
        "SELECT o.id FROM default_record AS d CROSS JOIN default_record AS o ON o.customer_key = d.customer_key
         WHERE d.id = ?1 AND d.by_rule = 1 AND o.by_rule = 1 AND o.state = 'open' AND o.key <> d.key
             AND o.currency IS d.currency ORDER BY o.key LIMIT 1",
        &[id.as_str().into()],
    )?;
    row.map(|row| row.parse(0)).transpose()
}

/// Keeps the end of a default, or that it had none, as it was said before the entry that says it anew.
fn keep_former<D: Db>(db: &D, keys: &str, entry: i64) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO default_former (default_key, state, closed_on, cured_by_key, entry_key, until_entry_key)
         SELECT d.key, d.state, d.closed_on, d.cured_by_key, coalesce(d.closed_entry_key, 0), ?2
         FROM json_each(?1) AS j CROSS JOIN default_record AS d ON d.key = j.value
         WHERE d.state <> 'open' OR d.closed_entry_key IS NOT NULL",
        &[keys.into(), entry.into()],
    )?;
    Ok(())
}

fn key<D: Db>(db: &D, id: &Id) -> Result<String, Fault> {
    let key = db.int("SELECT key FROM default_record WHERE id = ?1", &[id.as_str().into()])?;
    crate::array(&[key])
}

/// Notes that a default is not over. How it was said to have ended is kept beside.
pub fn reopen<D: Db>(db: &D, id: &Id, entry: i64) -> Result<(), Fault> {
    let keys = key(db, id)?;
    keep_former(db, &keys, entry)?;
    let sql =
        "DELETE FROM default_taken_back WHERE default_key IN (SELECT value FROM json_each(?1))";
    db.execute(sql, &[(&keys).into()])?;
    db.execute(
        "UPDATE default_record SET state = 'open', closed_on = NULL, cured_by_key = NULL, closed_entry_key = ?2
         WHERE id = ?1",
        &[id.as_str().into(), entry.into()],
    )?;
    Ok(())
}

/// What was said of a default, one thing after the other: the last is what stands. State, day, payment that cured it, and
/// the reason that the audit chain has.
pub type Said = (DefaultState, Option<Date>, Option<Id>, Option<String>);

/// All that was said of how a default ended, or that it did not.
pub fn said<D: Db>(db: &D, id: &Id) -> Result<Vec<Said>, Fault> {
    db.json(sql!("default_record/said.sql"), &[id.as_str().into()])
}

/// Closes an open default.
pub fn close<D: Db>(
    db: &D,
    id: &Id,
    state: DefaultState,
    on: Date,
    payment_key: Option<i64>,
    entry: i64,
) -> Result<(), Fault> {
    keep_former(db, &key(db, id)?, entry)?;
    let on = on.to_string();
    if state == DefaultState::Withdrawn {
        db.execute(sql!("default_record/take_back.sql"), &[id.as_str().into(), (&on).into()])?;
    }
    db.execute(
        "UPDATE default_record SET state = ?2, closed_on = ?3, cured_by_key = ?4, closed_entry_key = ?5
         WHERE id = ?1 AND state = 'open'",
        &[
            id.as_str().into(),
            state.name().into(),
            (&on).into(),
            payment_key.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// The key of a customer's contract, and the first day on which it was signed or in effect.
pub fn contract<D: Db>(db: &D, customer: i64, id: &Id) -> Result<Option<(i64, Date)>, Fault> {
    let row = db.first(
        "SELECT c.key, min(min(v.effective_on, coalesce(v.signed_on, v.effective_on)))
         FROM contract AS c CROSS JOIN contract_version AS v ON v.contract_key = c.key
         WHERE c.id = ?1 AND c.customer_key = ?2 GROUP BY c.key",
        &[id.as_str().into(), customer.into()],
    )?;
    row.map(|row| Ok((row.int(0)?, row.parse(1)?))).transpose()
}

/// The document or instalment of this id: its key, customer, currency and day.
pub fn document<D: Db>(db: &D, id: &Id) -> Result<Option<(i64, i64, Currency, Date)>, Fault> {
    let row = db.first(
        "SELECT key, customer_key, currency, issued_on FROM invoice WHERE id = ?1",
        &[id.as_str().into()],
    )?;
    row.map(|row| Ok((row.int(0)?, row.int(1)?, row.parse(2)?, row.parse(3)?))).transpose()
}

/// The key of a payment by the customer of this id, and the day on which it came.
pub fn payment<D: Db>(db: &D, customer: &Id, id: &Id) -> Result<Option<(i64, Date)>, Fault> {
    let row = db.first(
        "SELECT p.key, p.received_on
         FROM payment AS p CROSS JOIN customer AS c ON c.key = p.customer_key WHERE p.id = ?1 AND c.id = ?2",
        &[id.as_str().into(), customer.as_str().into()],
    )?;
    row.map(|row| Ok((row.int(0)?, row.parse(1)?))).transpose()
}

/// The default of this id.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Option<DefaultRecord>, Fault> {
    then(db, id, When::ALL)
}

/// The default of this id as it stood on a day and was known then. `None` also when it was not there.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<Option<DefaultRecord>, Fault> {
    Ok(select(db, "", 1, None, Some(id), None, when)?.pop())
}

/// Defaults after an id: everybody's or one customer's, in any state or in one, as they stood on a
/// day and were known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    state: Option<DefaultState>,
    when: When,
) -> Result<Vec<DefaultRecord>, Fault> {
    select(db, after, limit, customer, None, state, when)
}

fn select<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    only: Option<&Id>,
    state: Option<DefaultState>,
    when: When,
) -> Result<Vec<DefaultRecord>, Fault> {
    type Head = (Id, Id, Option<Id>, Option<Id>, Option<i64>, Option<Currency>, Date, DefaultKind);
    type Tail = (String, Option<Vec<Attachment>>, i64, DefaultState, Option<Date>, Option<Id>);
    let day = when.day.to_string();
    let params: [Param<'_>; 7] = [
        after.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        only.map(Id::as_str).into(),
        state.map(DefaultState::name).into(),
        (&day).into(),
        when.known.into(),
    ];
    let found: Vec<(Head, Tail)> = db.json(sql!("default_record/page.sql"), &params)?;
    let record = |(head, tail): (Head, Tail)| {
        let (id, customer_id, contract_id, invoice_id, minor, currency, found_on, kind) = head;
        let (reason, evidence, by_rule, state, closed_on, cured_by) = tail;
        DefaultRecord {
            id,
            customer_id,
            contract_id,
            invoice_id,
            amount: minor.zip(currency).map(|(minor, currency)| Money { minor, currency }),
            found_on,
            kind,
            reason,
            evidence,
            by_rule: by_rule != 0,
            state,
            closed_on,
            cured_by,
        }
    };
    Ok(found.into_iter().map(record).collect())
}

/// The customers of the range that the rule may hold for on the day, or held for. `last_due` is the last due date that
/// the rule can reach on the day.
pub fn candidates<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    last_due: Date,
) -> Result<Vec<i64>, Fault> {
    let (day, last_due) = (day.to_string(), last_due.to_string());
    db.json(
        sql!("default_record/candidates.sql"),
        &[range.after.into(), range.upto.into(), (&day).into(), (&last_due).into()],
    )
}

/// These customers and all members of their groups: key, id and the key of the head.
pub fn members<D: Db>(db: &D, keys: &[i64]) -> Result<Vec<(i64, Id, i64)>, Fault> {
    let keys = crate::array(keys)?;
    db.json(sql!("default_record/members.sql"), &[(&keys).into()])
}

/// What was overdue of these customers at the end of the day and not contested.
pub fn overdue<D: Db>(db: &D, keys: &[i64], day: Date) -> Result<Vec<Overdue>, Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    db.json(sql!("default_record/overdue.sql"), &[(&keys).into(), (&day).into()])
}

/// What these customers owed at the day's sweep: customer, currency, outstanding.
pub fn owing<D: Db>(db: &D, keys: &[i64], day: Date) -> Result<Vec<(i64, Currency, i64)>, Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    db.json(sql!("default_record/owing.sql"), &[(&keys).into(), (&day).into()])
}

/// What somebody took back of what these customers failed at, and that was not paid by the day.
pub fn taken_back<D: Db>(db: &D, keys: &[i64], day: Date) -> Result<TakenBack, Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    db.json(sql!("default_record/taken_back.sql"), &[(&keys).into(), (&day).into()])
}

/// The defaults of these customers that the rule opened and that are open, or were opened on the day.
pub fn by_rule<D: Db>(db: &D, keys: &[i64], day: Date) -> Result<Vec<Opened>, Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    db.json(sql!("default_record/by_rule.sql"), &[(&keys).into(), (&day).into()])
}

/// Notes on which default a cross-default rests, or that it rests on none any more.
pub fn rest_on<D: Db>(db: &D, rows: &[(&Id, Option<&Id>)]) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(sql!("default_record/rest_on.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Adds defaults that the rule found.
pub fn open_all<D: Db>(db: &D, new: &[ByRule], day: Date, entry: i64) -> Result<(), Fault> {
    let (new, day) = (crate::array(new)?, day.to_string());
    db.execute(sql!("default_record/open_all.sql"), &[(&new).into(), (&day).into(), entry.into()])?;
    Ok(())
}

/// Closes defaults that the rule opened, and names what cured them.
pub fn close_all<D: Db>(
    db: &D,
    keys: &[i64],
    state: DefaultState,
    day: Date,
    entry: i64,
) -> Result<(), Fault> {
    let (keys, day) = (crate::array(keys)?, day.to_string());
    keep_former(db, &keys, entry)?;
    db.execute(
        sql!("default_record/close_all.sql"),
        &[(&keys).into(), (&day).into(), entry.into(), state.name().into()],
    )?;
    Ok(())
}
