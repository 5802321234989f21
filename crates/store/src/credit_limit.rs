//! Tables `credit_limit` and `limit_policy`: limits, and what proposes them.

use crate::{Db, Fault, Param};
use dunlin_domain::{
    Currency, Date, Decimal, Id, Money,
    contract::{
        credit::{ApprovalThreshold, Limit, LimitPolicy, LimitSource, LimitState, NewLimit},
        types::{CustomerStatus, Grade},
    },
    credit::{limit::Entry, merge::Party},
};

/// Limits of customers to be kept: id, customer, with everything said.
pub type NewRow = (Id, i64, NewLimit);

/// Keeps limits that were asked for, unless they are there, and says how many it kept.
pub fn insert<D: Db>(
    db: &D,
    rows: &[NewRow],
    (state, source): (LimitState, LimitSource),
    asked_by: &str,
    entry: i64,
) -> Result<u64, Fault> {
    let rows = crate::array(rows)?;
    let last = || db.int("SELECT coalesce(max(key), 0) FROM credit_limit", &[]);
    let before = last()?;
    let counts = (state == LimitState::Approved).then_some(entry);
    db.execute(
        sql!("credit/insert_limits.sql"),
        &[
            (&rows).into(),
            state.name().into(),
            source.name().into(),
            asked_by.into(),
            entry.into(),
            counts.into(),
        ],
    )?;
    Ok(crate::added(before, last()?))
}

/// Notes what became of a limit that waited.
pub fn decide<D: Db>(
    db: &D,
    id: &Id,
    state: LimitState,
    decided_by: &str,
    entry: i64,
) -> Result<(), Fault> {
    let counts = (state == LimitState::Approved).then_some(entry);
    db.execute(
        "UPDATE credit_limit SET state = ?2, decided_by = ?3, counts_key = ?4, decided_entry_key = ?5 WHERE id = ?1",
        &[
            id.as_str().into(),
            state.name().into(),
            decided_by.into(),
            counts.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// Heads and members of the groups of the one that goes in a merge and of the one that stays.
pub fn parties<D: Db>(db: &D, from: i64, to: i64) -> Result<Vec<Party>, Fault> {
    db.json(sql!("customer/merge_limits.sql"), &[from.into(), to.into()])
}

/// Turns down what waits of a customer that is merged into another, so that nobody approves a limit of nobody: but for what
/// somebody asked for where the other one has no limit, which waits for that one.
pub fn refuse_waiting<D: Db>(
    db: &D,
    (from, to): (i64, i64),
    by: &str,
    entry: i64,
) -> Result<(), Fault> {
    db.execute(
        "UPDATE credit_limit SET customer_key = ?2
         WHERE customer_key = ?1 AND counts_key IS NULL AND state = 'pending' AND source = 'key' AND kind <> 'group'
            AND NOT EXISTS (
                SELECT 1 FROM credit_limit AS own
                WHERE own.customer_key = ?2 AND own.counts_key > 0 AND own.kind <> 'group'
            )
            AND EXISTS (SELECT 1 FROM customer AS c WHERE c.key = ?2 AND c.limit_minor IS NULL)",
        &[from.into(), to.into()],
    )?;
    db.execute(
        "UPDATE credit_limit SET state = 'refused', decided_by = ?2, decided_entry_key = ?3
         WHERE customer_key = ?1 AND counts_key IS NULL AND state = 'pending'",
        &[from.into(), by.into(), entry.into()],
    )?;
    Ok(())
}

/// Limits of a customer that waited for a second key when an audit entry was the last one known, newest first.
pub fn waiting<D: Db>(db: &D, customer: &Id, known: i64) -> Result<Vec<Limit>, Fault> {
    db.json(sql!("credit/waiting.sql"), &[customer.as_str().into(), known.into()])
}

/// Limits before a key, newest first: of a customer, in a state, or some alone, by their ids.
pub fn list<D: Db>(
    db: &D,
    before: i64,
    limit: u32,
    customer: Option<&Id>,
    state: Option<LimitState>,
    only: Option<&[Id]>,
) -> Result<Vec<(i64, Limit)>, Fault> {
    let only = only.map(crate::array).transpose()?;
    let params: [Param<'_>; 5] = [
        before.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        state.map(LimitState::name).into(),
        only.as_ref().into(),
    ];
    db.json(sql!("credit/limits.sql"), &params)
}

/// Which of these ids are limits that were asked for.
pub fn known<D: Db>(db: &D, ids: &[Id]) -> Result<Vec<Id>, Fault> {
    let ids = crate::array(ids)?;
    db.json(
        "SELECT json_group_array(l.id) FROM json_each(?1) AS j CROSS JOIN credit_limit AS l ON l.id = j.value",
        &[(&ids).into()],
    )
}

/// The policy in force and its number, from 1.
pub fn policy<D: Db>(db: &D) -> Result<Option<(u32, LimitPolicy)>, Fault> {
    let sql = "SELECT (SELECT count(*) FROM limit_policy), document FROM limit_policy ORDER BY key DESC LIMIT 1";
    let Some(row) = db.first(sql, &[])? else { return Ok(None) };
    Ok(Some((u32::try_from(row.int(0)?).unwrap_or(u32::MAX), row.json(1)?)))
}

/// What needs a second key when this key asks: by the policy in force, and by those before it back to the last that
/// another key published.
pub fn thresholds_for<D: Db>(db: &D, who: &str) -> Result<Vec<Vec<ApprovalThreshold>>, Fault> {
    db.json(sql!("credit/thresholds_for.sql"), &[who.into()])
}

/// Publishes a policy.
pub fn insert_policy<D: Db>(db: &D, new: &LimitPolicy, entry: i64) -> Result<(), Fault> {
    let document = crate::array(new)?;
    db.execute(
        "INSERT INTO limit_policy (document, entry_key) VALUES (?1, ?2)",
        &[(&document).into(), entry.into()],
    )?;
    Ok(())
}

/// What a customer's documents in the policy's currency come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Bought {
    /// Of the last twelve months.
    pub turnover_minor: i64,
    /// The day of the first document, in whatever currency.
    pub first_on: Option<Date>,
    pub outstanding_minor: i64,
}

/// A customer as a limit policy sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Candidate {
    pub key: i64,
    pub id: Id,
    pub grade: Option<Grade>,
    /// The worst of who was merged into it since, which knew nothing of their debts.
    pub merged_grade: Option<Grade>,
    pub tier: Option<String>,
    pub bought: Bought,
    secured: Option<Vec<(i64, Decimal)>>,
    pub status: CustomerStatus,
    pub limit: Option<Money>,
    dated: Option<(Vec<Entry>, Vec<Waits>)>,
    group: Option<(Option<Money>, Vec<Entry>)>,
}

/// Amount, currency and whether it is unlimited of a limit that waits for a second key.
pub type Waits = (i64, Currency, u8);

impl Candidate {
    /// Amount and share of each guarantee in force.
    pub fn guarantees(&self) -> &[(i64, Decimal)] {
        self.secured.as_deref().unwrap_or_default()
    }

    /// The credit limit of the record of the head of its group. Absent: in no group.
    pub fn head(&self) -> Option<Option<Money>> {
        self.group.as_ref().map(|(record, _)| *record)
    }

    /// Those of its limits and its group's.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        let records = self.limit.into_iter().chain(self.head().flatten());
        let dated = self.ledger().iter().map(|entry| entry.currency);
        dated.chain(records.map(|record| record.currency))
    }

    /// Limits that count, with those of its group.
    pub fn ledger(&self) -> &[Entry] {
        self.dated.as_ref().map_or(&[], |(ledger, _)| ledger)
    }

    /// Individual limits that wait for a second key.
    pub fn waiting(&self) -> &[Waits] {
        self.dated.as_ref().map_or(&[], |(_, waiting)| waiting)
    }
}

/// Which customers to look at.
#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    /// So many after a key.
    After(i64, u32),
    /// These, by key.
    These(&'a [i64]),
}

/// What a limit policy in this currency proposes from on the day.
pub fn candidates<D: Db>(
    db: &D,
    among: Among<'_>,
    day: Date,
    currency: Currency,
) -> Result<Vec<Candidate>, Fault> {
    let (after, limit, keys) = match among {
        Among::After(after, limit) => (after, i64::from(limit), None),
        Among::These(keys) => (0, -1, Some(crate::array(keys)?)),
    };
    let (before, day) = (day.minus_months(12)?.to_string(), day.to_string());
    let params: [Param<'_>; 6] = [
        after.into(),
        limit.into(),
        (&day).into(),
        (&before).into(),
        currency.as_str().into(),
        keys.as_ref().into(),
    ];
    match db.first(sql!("credit/proposals.sql"), &params)? {
        Some(row) => read(row.text(0)?),
        None => Ok(Vec::new()),
    }
}

/// Reads them here, where the rules of speed are those of this crate: a book is read in slices of thousands.
fn read(candidates: &str) -> Result<Vec<Candidate>, Fault> {
    let mut found: Vec<Candidate> = crate::read_json(candidates)?;
    for of in &mut found {
        if let Some((_, group)) = &mut of.group {
            of.dated.get_or_insert_default().0.append(group);
        }
    }
    Ok(found)
}
