//! What the sweep keeps of the interest of open overdue documents.

use super::{Book, borne};
use dunlin_domain::arrange::{arrange, set};
use dunlin_domain::{
    Date,
    day_count::Ruler,
    interest::{Accrued, Charges, Watermark},
};
use dunlin_store::{
    Db, Fault,
    accrual::{self, Item, Line},
    arrears::Range,
    clause,
    interest_entry::{self, Charging},
    policy, sweep,
};
use std::collections::BTreeMap;

/// Whether any document can bear interest at all.
pub fn any_clause<D: Db>(db: &D) -> Result<bool, Fault> {
    Ok(policy::current(db)?.late_interest.is_some() || clause::any_of_contracts(db)?)
}

/// Forgets what the sweep kept: no clause is left.
pub fn forget_all<D: Db>(db: &D) -> Result<(), Fault> {
    accrual::forget(db, Range { after: i64::MIN, upto: i64::MAX })
}

/// A slice of the sweep: brings the interest of the range's overdue documents up to the day, and says how many stand
/// there. A line that holds is moved on by one statement for all; what is new or changed is worked out from the ledger.
pub fn accrue<D: Db>(db: &D, range: Range, day: Date) -> Result<u64, Fault> {
    let before = sweep::accrued_before(db, day)?;
    if before.is_none() {
        accrual::forget(db, range)?;
    }
    let policy_has_clause = policy::current(db)?.late_interest.is_some();
    let (keys, mut lines) =
        accrual::to_work_out(db, range, day, before.as_ref(), policy_has_clause)?;
    if !keys.is_empty() {
        let items = accrual::items(db, &keys, i64::MAX)?;
        let book = Book::of(db, &items, i64::MAX)?;
        let (surrounded, others): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| book.is_surrounded(item));
        let (parts, alone): (Vec<Item>, Vec<Item>) =
            others.into_iter().partition(|item| item.parent_key.is_some());
        let mut worked: Vec<Line> = Vec::with_capacity(keys.len());
        for item in &alone {
            worked.extend(lines_of(&book, &[item], 0, Vec::new(), day));
        }
        // Of instalments each has its share of what all of them bear.
        let wanted = set(parts.iter().map(|item| item.invoice_key));
        for items in documents(db, parts)?.values() {
            let items: Vec<&Item> = items.iter().collect();
            let found = lines_of(&book, &items, 0, Vec::new(), day).into_iter();
            worked.extend(found.filter(|line| wanted.contains(&line.invoice_key)));
        }
        worked.extend(with_surroundings(db, &book, surrounded, day)?);
        accrual::put_all(db, &worked)?;
        lines = accrual::count(db, range)?;
    }
    accrual::looked(db, range)?;
    accrual::move_on(db, range, day)?;
    Ok(lines)
}

/// Claims and the other instalments of their documents, by document, oldest due first.
fn documents<D: Db>(db: &D, asked: Vec<Item>) -> Result<BTreeMap<i64, Vec<Item>>, Fault> {
    let wanted = set(asked.iter().map(|item| item.invoice_key));
    let parents = set(asked.iter().filter_map(|item| item.parent_key));
    let parents: Vec<i64> = parents.into_iter().collect();
    let others = match parents.is_empty() {
        true => Vec::new(),
        false => accrual::instalments(db, &parents)?,
    };
    let others: Vec<i64> = others.into_iter().filter(|key| !wanted.contains(key)).collect();
    let others = match others.is_empty() {
        true => Vec::new(),
        false => accrual::items(db, &others, i64::MAX)?,
    };
    let mut documents: BTreeMap<i64, Vec<Item>> = BTreeMap::new();
    for item in asked.into_iter().chain(others) {
        documents.entry(item.parent_key.unwrap_or(item.invoice_key)).or_default().push(item);
    }
    for items in documents.values_mut() {
        arrange(items, |a, b| (a.due_on, a.invoice_key).cmp(&(b.due_on, b.invoice_key)));
    }
    Ok(documents)
}

/// The lines of claims with what they have to do with: the other instalments, the fees, and what was settled of their
/// interest are read for all of them at once.
fn with_surroundings<D: Db>(
    db: &D,
    book: &Book,
    asked: Vec<Item>,
    day: Date,
) -> Result<Vec<Line>, Fault> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = set(asked.iter().map(|item| item.invoice_key));
    let documents = documents(db, asked)?;
    let claims = documents.values().flatten().map(|item| item.invoice_key);
    let claims = set(claims.chain(documents.keys().copied()));
    let claims: Vec<i64> = claims.into_iter().collect();
    let charging = Charging::of(db, &claims, i64::MAX)?;
    let fees = charging.fees(&claims, day)?;
    let mut settled = charging.settled_by_claim(&claims);
    let roots: Vec<i64> = documents.keys().copied().collect();
    for (root, on, minor) in interest_entry::waived(db, &roots, i64::MAX)? {
        settled.entry(root).or_default().push((on, minor));
    }
    let mut lines = Vec::with_capacity(wanted.len());
    for (root, items) in &documents {
        let items: Vec<&Item> = items.iter().collect();
        let own = items.iter().map(|item| item.invoice_key).filter(|key| key != root);
        let (mut charged, mut paid) = (0i64, Vec::new());
        for key in own.chain([*root]) {
            charged = charged.saturating_add(fees.get(&key).copied().unwrap_or(0));
            paid.extend(settled.remove(&key).unwrap_or_default());
        }
        let found = lines_of(book, &items, charged, paid, day).into_iter();
        lines.extend(found.filter(|line| wanted.contains(&line.invoice_key)));
    }
    Ok(lines)
}

/// The lines of a document's claims from a day on. What cannot be worked out (a rate that is missing, a clause that did
/// not hold yet) stands at zero until something changes: the sweep goes on, and whoever asks for the document is told.
fn lines_of(
    book: &Book,
    items: &[&Item],
    fees_minor: i64,
    settled: Vec<(Date, i64)>,
    day: Date,
) -> Vec<Line> {
    let whole = items.iter().fold(0i64, |sum, item| sum.saturating_add(item.amount_minor));
    let mut charges = Charges::on(whole, fees_minor);
    let clause = items.first().and_then(|item| book.clause(item));
    let found =
        clause.map(|(clause, _)| borne(book, clause, items, day, settled, &mut charges, false));
    let mut found = found.and_then(Result::ok).unwrap_or_default().into_iter().peekable();
    // A dispute of a later day is seen when it comes.
    let disputes = items.iter().flat_map(|item| &item.disputes);
    let days = disputes.flat_map(|of| [Some(of.on), of.decided.map(|(on, _)| on)]);
    let later = days.flatten().filter(|later| *later > day).min();
    let until = later.map_or(Date::LAST, |later| later.plus_days(-1).unwrap_or(day));
    let line = |item: &&Item| {
        let own = found.next_if(|(of, _)| of.invoice_key == item.invoice_key);
        line(item, own.and_then(|(_, part)| part.ok()), day, until)
    };
    items.iter().map(line).collect()
}

fn line(item: &Item, accrued: Option<Accrued>, day: Date, until: Date) -> Line {
    let (accrued_minor, watermark) = match accrued {
        Some(accrued) => (accrued.accrued_minor, accrued.watermark),
        None => (0, Some(level(0, Date::LAST))),
    };
    let mut watermark = watermark.unwrap_or_else(|| level(accrued_minor, day));
    watermark.until = watermark.until.min(until);
    Line {
        customer_key: item.customer_key,
        invoice_key: item.invoice_key,
        watermark,
        accrued_minor,
        through: day,
    }
}

/// A line that does not rise.
fn level(minor: i64, until: Date) -> Watermark {
    Watermark {
        ruler: Ruler::Days,
        mark: 0,
        step: 0,
        base_minor: minor,
        base_rest: 0,
        denominator: 1,
        until,
    }
}
