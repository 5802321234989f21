//! Tables `notice`, `notice_item`, `reminded` and `delivery`: messages to debtors, and what became of them.

use crate::{Db, Fault, Param};
use dunlin_domain::arrange::arrange;
use dunlin_domain::{
    Currency, Date, Id, Instant, Money,
    contract::{
        remind::{Notice, NoticeItem, NoticeLevel, NoticeState},
        types::Language,
    },
};

/// A notice to store: id, customer, currency, level, language, subject, body, total, because.
pub type New = (Id, i64, Currency, NoticeLevel, Language, String, String, i64, String);

/// An item of one: notice id, invoice, due, open.
pub type NewItem = (Id, i64, Date, i64);

/// Where a page of notices ended: day and key.
pub type Before = (String, i64);

/// What is asked of the list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub state: Option<NoticeState>,
    pub customer: Option<&'a Id>,
    pub id: Option<&'a Id>,
}

/// A notice taken for delivery: its key, and how often it was tried, this time included.
#[derive(Debug)]
pub struct Claimed {
    pub key: i64,
    pub attempts: u32,
    pub notice: Notice,
}

/// What is to be stored of a try: key, state, next try, outcome, detail.
pub type Settled = (i64, NoticeState, Option<Instant>, &'static str, Option<String>);

/// Stores notices with their items, and the level each item has reached.
pub fn insert_all<D: Db>(
    db: &D,
    notices: &[New],
    items: &[NewItem],
    reached: &[(i64, NoticeLevel)],
    day: Date,
    at: Instant,
) -> Result<(), Fault> {
    let (rows, day, at) = (crate::array(notices)?, day.to_string(), at.to_string());
    db.execute(sql!("notice/insert_all.sql"), &[(&rows).into(), (&day).into(), (&at).into()])?;
    let rows = crate::array(items)?;
    db.execute(sql!("notice/insert_items.sql"), &[(&rows).into()])?;
    let rows = crate::array(reached)?;
    db.execute(sql!("notice/remember.sql"), &[(&rows).into(), (&day).into()])?;
    Ok(())
}

/// Notices, newest day first.
pub fn page<D: Db>(
    db: &D,
    before: &Before,
    limit: u32,
    filter: Filter<'_>,
) -> Result<Vec<(Notice, Before)>, Fault> {
    type Item = (Id, Date, i64);
    type Row = (
        (Date, i64, Id, Id, Currency, NoticeLevel, Language),
        (String, String, i64, String, NoticeState, u32, Option<Instant>, Vec<Item>),
    );
    let params: [Param<'_>; 6] = [
        (&before.0).into(),
        before.1.into(),
        i64::from(limit).into(),
        filter.state.map(NoticeState::name).into(),
        filter.customer.map(Id::as_str).into(),
        filter.id.map(Id::as_str).into(),
    ];
    let rows: Vec<Row> = db.json(sql!("notice/page.sql"), &params)?;
    let notice = |(head, tail): Row| {
        let (day, key, id, customer_id, currency, level, language) = head;
        let (subject, body, total, because, state, attempts, next_attempt_at, items) = tail;
        let item = |(invoice_id, due_on, minor): Item| NoticeItem {
            invoice_id,
            due_on,
            open: Money { minor, currency },
            days_past_due: i32::try_from(day.days_since(due_on)).unwrap_or(i32::MAX),
        };
        let notice = Notice {
            id,
            customer_id,
            currency,
            level,
            day,
            language,
            subject,
            body,
            total: Money { minor: total, currency },
            items: items.into_iter().map(item).collect(),
            state,
            attempts,
            next_attempt_at,
            because,
        };
        (notice, (day.to_string(), key))
    };
    Ok(rows.into_iter().map(notice).collect())
}

/// Takes notices for delivery: what is due, of each customer only the oldest that waits. Nobody else gets them until
/// `retry_at`, when whoever took them is taken for dead.
pub fn claim<D: Db>(
    db: &D,
    now: Instant,
    limit: u32,
    retry_at: Instant,
) -> Result<Vec<Claimed>, Fault> {
    let (now, retry_at) = (now.to_string(), retry_at.to_string());
    let params: [Param<'_>; 3] = [(&now).into(), i64::from(limit).into(), (&retry_at).into()];
    let rows = db.execute(sql!("notice/claim.sql"), &params)?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: Id = row.parse(1)?;
        let filter = Filter { id: Some(&id), ..Filter::default() };
        let found = page(db, &last(), 1, filter)?.pop();
        let (notice, _) =
            found.ok_or_else(|| Fault::Db("a notice is gone while it is delivered".into()))?;
        claimed.push(Claimed {
            key: row.int(0)?,
            attempts: u32::try_from(row.int(2)?).unwrap_or(u32::MAX),
            notice,
        });
    }
    arrange(&mut claimed, |one, other| one.key.cmp(&other.key));
    Ok(claimed)
}

/// After every day and key: where the first page begins.
pub fn last() -> Before {
    (AFTER_ALL_DAYS.to_string(), i64::MAX)
}

/// Sorts after every date.
const AFTER_ALL_DAYS: &str = "9999";

/// Stores what became of tries.
pub fn settle<D: Db>(db: &D, settled: &[Settled], at: Instant) -> Result<(), Fault> {
    let states: Vec<_> =
        settled.iter().map(|(key, state, next, _, _)| (key, state, next)).collect();
    let tries: Vec<_> =
        settled.iter().map(|(key, _, _, outcome, detail)| (key, outcome, detail)).collect();
    let (states, tries, at) = (crate::array(&states)?, crate::array(&tries)?, at.to_string());
    db.execute(sql!("notice/settle.sql"), &[(&states).into()])?;
    db.execute(sql!("notice/insert_deliveries.sql"), &[(&tries).into(), (&at).into()])?;
    Ok(())
}

/// How many were written on the day.
pub fn count_of_day<D: Db>(db: &D, day: Date) -> Result<u32, Fault> {
    let day = day.to_string();
    let count = db.int("SELECT count(*) FROM notice WHERE day = ?1", &[(&day).into()])?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whether anything is due for delivery now.
pub fn any_due<D: Db>(db: &D, now: Instant) -> Result<bool, Fault> {
    let now = now.to_string();
    let sql =
        "SELECT EXISTS (SELECT 1 FROM notice WHERE state = 'queued' AND next_attempt_at <= ?1)";
    Ok(db.int(sql, &[(&now).into()])? != 0)
}

/// Forgets how far documents have climbed the reminder calendar once nothing of them is open: what opens again, by a
/// chargeback, begins anew. What was sent stays in the notices.
pub fn forget_levels<D: Db>(db: &D, invoices: &str) -> Result<(), Fault> {
    db.execute(
        "DELETE FROM reminded WHERE invoice_key IN (
             SELECT i.key FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.key = j.value ->> 0
             WHERE i.open_minor = 0)",
        &[invoices.into()],
    )?;
    Ok(())
}

/// The same of the documents that allocations after this one are about.
pub fn forget_appended<D: Db>(db: &D, last_allocation: i64) -> Result<(), Fault> {
    db.execute(
        "DELETE FROM reminded WHERE invoice_key IN (
             SELECT i.key FROM allocation AS a NOT INDEXED CROSS JOIN invoice AS i ON i.key = a.invoice_key
             WHERE a.key > ?1 AND i.open_minor = 0 AND EXISTS (SELECT 1 FROM reminded))",
        &[last_allocation.into()],
    )?;
    Ok(())
}
