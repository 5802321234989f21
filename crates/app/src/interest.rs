//! Late interest: what a document bears as of a day, what of it is claimed or given up, and what the sweep keeps.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, ROW, amount_in_range, not_in_future, one},
    replay,
};
use dunlin_domain::{
    Date, Decimal, Id, Money, Refusal, Refused,
    contract::{
        ledger::{LateInterest, NewInterestNote, NewWaiver, RateRow, RateTable, Waiver},
        types::{Interest, InterestCap, InvoiceKind},
    },
    day_count::Ruler,
    interest::{self, Accrued, Charges, Watermark},
    preset::CONTRACT_RATE,
    rate::{self, Tables},
};
use dunlin_store::{
    Db, Fault, When,
    accrual::{self, Item, Line},
    arrears::Range,
    clause,
    interest_entry::{self, Charging, Document, Entry},
    invoice, policy, rate as rates, sweep, write,
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest reason of a waiver.
const MAX_REASON: usize = 500;

/// The clauses and rates of some documents.
struct Book {
    tables: Tables,
    policy: Option<LateInterest>,
    contracts: BTreeMap<i64, clause::OfContract>,
    /// The versions of contracts under which claims are worked out with their surroundings; `None` stands for the policy.
    surrounded: BTreeSet<Option<i64>>,
}

impl Book {
    fn of<D: Db>(db: &D, items: &[Item], known: i64) -> Result<Self, Fault> {
        let mut versions: Vec<i64> = items.iter().filter_map(|item| item.version_key).collect();
        versions.sort_unstable();
        versions.dedup();
        let contracts =
            if versions.is_empty() { BTreeMap::new() } else { clause::of_versions(db, &versions)? };
        let (tables, policy) = (rates::tables(db, known)?, policy::known(db, known)?.late_interest);
        let of_contracts = contracts.iter().map(|(key, (clause, ..))| (Some(*key), clause));
        let clauses = of_contracts.chain(policy.iter().map(|clause| (None, clause)));
        let surrounded = clauses.filter(|(_, clause)| interest::has_surroundings(clause));
        let surrounded = surrounded.map(|(version, _)| version).collect();
        Ok(Self { tables, policy, contracts, surrounded })
    }

    /// Whether what the claim bears has to do with more than the claim.
    fn is_surrounded(&self, item: &Item) -> bool {
        let own = item.version_key.filter(|key| self.contracts.contains_key(key));
        self.surrounded.contains(&own)
    }

    /// The clause that governs, and its name: that of the contract, else the policy's.
    fn clause(&self, item: &Item) -> Option<(&LateInterest, String)> {
        match item.version_key.and_then(|key| self.contracts.get(&key)) {
            Some((clause, id, version)) => Some((clause, format!("{id} version {version}"))),
            None => self.policy.as_ref().map(|clause| (clause, "policy".to_string())),
        }
    }

    fn accrue(
        &self,
        item: &Item,
        clause: &LateInterest,
        fixed_for: Option<i64>,
        day: Date,
        settled: &[(Date, i64)],
        charges: &mut Charges,
    ) -> Result<Accrued, Refused> {
        let claim = interest::Item {
            issued_on: item.issued_on,
            due_on: item.due_on,
            amount_minor: item.amount_minor,
            currency: item.currency,
            changes: item.changes.clone(),
            exclusions: interest::exclusions(&item.disputes, item.due_on, day),
            settled: settled.to_vec(),
            signed_on: item.signed_on,
            fixed_for,
        };
        let resolved = interest::resolve(clause, item.due_on.plus_days(1)?)?;
        interest::charge(&claim, &resolved, &self.tables, day, charges)
    }
}

/// The late interest of an invoice up to and with a day, by what was known with an audit entry. `None` where no
/// clause governs it or the document bears none.
pub fn of_invoice<D: Db>(
    db: &D,
    id: &Id,
    through: Date,
    known: i64,
) -> Result<Option<Interest>, Fault> {
    match interest_entry::document(db, id)? {
        Some(document) => of_document(db, &document, through, through, known),
        None => Ok(None),
    }
}

/// What one claim of a document bears, or why that cannot be told.
type Borne<'a> = (&'a Item, Result<Accrued, Refused>);

/// What the claims of one document bear up to a day, in the order in which they come under its cap: oldest due first.
/// Claims for which the clause does not hold are left out. What was settled of its interest is the oldest claim's first.
fn borne<'a>(
    book: &Book,
    clause: &LateInterest,
    items: &[&'a Item],
    day: Date,
    mut settled: Vec<(Date, i64)>,
    charges: &mut Charges,
) -> Result<Vec<Borne<'a>>, Refused> {
    let whole = dunlin_domain::money::sum(items.iter().map(|item| item.amount_minor))?;
    let mut found: Vec<Borne<'a>> = Vec::with_capacity(items.len());
    let mut is_late = false;
    for item in items {
        // A fixed sum is one for the document: the first part that is late bears it.
        let fixed_for = (!is_late).then_some(whole);
        let part = book.accrue(item, clause, fixed_for, day, &settled, charges);
        // A preset holds from its day, and one instalment may be due before it.
        if part.as_ref().is_err_and(|refused| refused.code == Refusal::UnknownPreset) {
            continue;
        }
        is_late |= part.as_ref().is_ok_and(|part| !part.segments.is_empty());
        if part.is_ok() && items.len() > 1 && !settled.is_empty() {
            settled = left_over(book, clause, item, &settled)?;
        }
        found.push((item, part));
    }
    Ok(found)
}

/// What was settled of a document's interest beyond what one claim of it had borne by then.
fn left_over(
    book: &Book,
    clause: &LateInterest,
    item: &Item,
    settled: &[(Date, i64)],
) -> Result<Vec<(Date, i64)>, Refused> {
    let mut by_day: BTreeMap<Date, i64> = BTreeMap::new();
    for (on, minor) in settled {
        let sum = by_day.entry(*on).or_default();
        *sum = sum.saturating_add(*minor);
    }
    let (mut all, mut over) = (0i64, 0i64);
    let mut left = Vec::with_capacity(by_day.len());
    for (on, minor) in by_day {
        all = all.saturating_add(minor);
        let own = book.accrue(item, clause, None, on, settled, &mut Charges::default())?;
        let beyond = all.saturating_sub(own.accrued_minor).max(0);
        left.push((on, beyond.saturating_sub(over)));
        over = beyond;
    }
    Ok(left)
}

/// The same for a document that was found. Notes and waivers count up to a day, or all. An instalment bears what is
/// its own of what the whole document bears.
fn of_document<D: Db>(
    db: &D,
    document: &Document,
    through: Date,
    entries_upto: Date,
    known: i64,
) -> Result<Option<Interest>, Fault> {
    let mut items = as_known(db, accrual::items(db, &document.claims, known)?, known)?;
    items.sort_by_key(|item| (item.due_on, item.invoice_key));
    let book = Book::of(db, &items, known)?;
    let Some((clause, name)) = items.first().and_then(|item| book.clause(item)) else {
        return Ok(None);
    };
    let is_surrounded = items.first().is_some_and(|item| book.is_surrounded(item));
    let is_own = |item: &Item| !document.is_part || item.invoice_key == document.key;
    let charging = Charging::of(db, &document.claims, known)?;
    let together = |sums: BTreeMap<i64, i64>| dunlin_domain::money::sum(sums.into_values());
    let (noted_minor, waived_minor) = match document.is_part {
        true => (0, 0),
        false => (
            together(charging.noted(entries_upto)?)?,
            interest_entry::waived_minor(db, document.key, entries_upto, known)?,
        ),
    };
    let fees_minor = together(charging.fees(through)?)?;
    let root = items.iter().find_map(|item| item.parent_key).unwrap_or(document.key);
    let mut settled = Vec::new();
    if is_surrounded {
        settled.extend(charging.settled());
        let waived = interest_entry::waived(db, &[root], known)?;
        settled.extend(waived.into_iter().map(|(_, on, minor)| (on, minor)));
    }
    let claims: Vec<&Item> = items.iter().filter(|item| is_surrounded || is_own(item)).collect();
    let amounts = items.iter().map(|item| item.amount_minor);
    let mut charges = Charges::on(dunlin_domain::money::sum(amounts)?, fees_minor);
    let found = borne(&book, clause, &claims, through, settled, &mut charges)?;
    if !found.iter().any(|(item, _)| is_own(item)) {
        return Ok(None);
    }
    let mut of = Interest {
        through,
        accrued: Money::new(0, document.currency),
        residue: Decimal::ZERO,
        fixed_minor: 0,
        capped_minor: 0,
        cap: None,
        noted_minor,
        waived_minor,
        outstanding_minor: 0,
        clause: name,
        explained: Vec::new(),
    };
    for (item, part) in found {
        let part = part?;
        if !is_own(item) {
            continue;
        }
        of.accrued.minor = sum(of.accrued.minor, part.accrued_minor)?;
        of.residue = of.residue.saturating_add(part.residue);
        of.capped_minor = sum(of.capped_minor, part.capped_minor)?;
        // Fixed sums stand with the whole document.
        if !document.is_part {
            of.fixed_minor = sum(of.fixed_minor, part.fixed_minor)?;
        }
        of.explained.extend(part.segments);
    }
    if is_surrounded {
        let limit = charges.limit(&interest::resolve(clause, Date::LAST)?)?;
        of.cap = limit.map(|limit_minor| {
            let above_minor = fees_minor.saturating_sub(limit_minor).max(0);
            InterestCap { limit_minor, fees_minor, above_minor }
        });
    }
    let charged = sum(of.accrued.minor, of.fixed_minor)?;
    let settled = sum(of.noted_minor, of.waived_minor)?;
    of.outstanding_minor = charged.saturating_sub(settled);
    Ok(Some(of))
}

/// The documents with the days and amounts that they had before later corrections.
fn as_known<D: Db>(db: &D, mut items: Vec<Item>, known: i64) -> Result<Vec<Item>, Fault> {
    if known < i64::MAX {
        let keys: Vec<i64> = items.iter().map(|item| item.invoice_key).collect();
        let then = invoice::items(db, &keys, known)?;
        for item in &mut items {
            if let Some(then) = then.iter().find(|then| then.key == item.invoice_key) {
                (item.issued_on, item.due_on) = (then.issued_on, then.due_on);
                item.amount_minor = then.amount_minor;
                item.version_key = then.version_key;
            }
        }
    }
    Ok(items)
}

fn sum(one: i64, other: i64) -> Result<i64, Refused> {
    dunlin_domain::money::sum([one, other])
}

/// Claims interest that has accrued: a document of its own about the invoice.
pub fn add_note<D: Db>(
    db: &D,
    new: &NewInterestNote,
    made: Id,
    today: Date,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| {
        let document = known_document(db, &new.invoice_id)?;
        if same_note(db, &id, new)? {
            return Ok((id.clone(), Change::AlreadySo));
        }
        let through = new.through.unwrap_or(today);
        not_in_future(through, today, "through")?;
        let due_on = new.due_on.unwrap_or(through);
        if due_on < through {
            let due_before = Refusal::DueBeforeIssued;
            return Err(Refused::new(due_before, due_before.about()).at("due_on").into());
        }
        let minor = claimable(db, &document, through)?.filter(|minor| *minor > 0);
        let minor = minor.ok_or_else(|| {
            let detail = format!("no interest may be claimed up to {through}");
            Refused::new(Refusal::MoreThanOpen, detail).at("invoice_id")
        })?;
        let kind = InvoiceKind::InterestNote;
        let currency = document.currency;
        amount_in_range(&Money::new(minor, currency), 1)
            .map_err(|refused| Refused { field: Some("through".into()), ..refused })?;
        let none = None::<i64>;
        let row = one((
            ROW,
            &id,
            &document.customer_id,
            kind,
            through,
            due_on,
            minor,
            currency,
            0,
            none,
            document.key,
            none,
        ))?;
        let change = serde_json::json!({
            "customer_id": document.customer_id, "kind": kind, "issued_on": through, "due_on": due_on,
            "amount": Money::new(minor, currency), "relates_to": new.invoice_id,
        });
        let entry = note(db, author, &Note::made("invoice", id.as_str(), &change)?)?;
        invoice::insert_all(db, &row, Some(entry))?;
        let note_key = invoice::last_key(db)?;
        interest_entry::insert(
            db,
            &Entry {
                id: &format!("note/{}", id.as_str()),
                customer_key: document.customer_key,
                invoice_key: document.key,
                note_key: Some(note_key),
                booked_on: through,
                minor,
                reason: None,
                entry_key: entry,
            },
        )?;
        replay::customers(db, &[document.customer_key], author.at, Some(entry))?;
        Ok((id.clone(), Change::Made))
    })
}

/// Whether the note is there already. Refused when the id stands for something else.
fn same_note<D: Db>(db: &D, id: &Id, new: &NewInterestNote) -> Result<bool, Fault> {
    let Some(there) = interest_entry::noted(db, id)? else { return Ok(false) };
    let differs = [
        (there.kind != InvoiceKind::InterestNote, "kind"),
        (there.about.as_ref() != Some(&new.invoice_id), "invoice_id"),
        (new.through.is_some_and(|day| day != there.issued_on), "through"),
        (new.due_on.is_some_and(|day| day != there.due_on), "due_on"),
    ];
    unless_different(&differs)?;
    Ok(true)
}

fn unless_different(differs: &[(bool, &str)]) -> Result<(), Refused> {
    match differs.iter().find(|(differs, _)| *differs) {
        None => Ok(()),
        Some((_, field)) => {
            let detail = format!("the id is stored with another {field}; nothing was changed");
            Err(Refused::new(Refusal::DifferentContent, detail).at(field))
        }
    }
}

/// Gives up interest, or takes back that it was given up.
pub fn add_waiver<D: Db>(
    db: &D,
    new: &NewWaiver,
    made: Id,
    today: Date,
    author: &Author,
) -> Result<(Waiver, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    check_reason(&new.reason)?;
    let row = format!("waiver/{}", id.as_str());
    write(db, |db| {
        let document = known_document(db, &new.invoice_id)?;
        if let Some(there) = interest_entry::waiver(db, &row)? {
            unless_different(&[
                (there.invoice_id != new.invoice_id, "invoice_id"),
                (new.on.is_some_and(|on| on != there.on), "on"),
                (new.minor.is_some_and(|minor| minor != there.minor), "minor"),
                (new.reason != there.reason, "reason"),
            ])?;
            let amount = Money::new(there.minor, there.currency);
            return Ok((waiver(&id, new, there.on, amount), Change::AlreadySo));
        }
        let on = new.on.unwrap_or(today);
        not_in_future(on, today, "on")?;
        let minor = waivable(db, &document, new.minor, on)?;
        let made = waiver(&id, new, on, Money::new(minor, document.currency));
        let entry = note(db, author, &Note::made("interest_entry", &row, &made)?)?;
        interest_entry::insert(
            db,
            &Entry {
                id: &row,
                customer_key: document.customer_key,
                invoice_key: document.key,
                note_key: None,
                booked_on: on,
                minor,
                reason: Some(&new.reason),
                entry_key: entry,
            },
        )?;
        Ok((made, Change::Made))
    })
}

fn waiver(id: &Id, new: &NewWaiver, on: Date, amount: Money) -> Waiver {
    let (invoice_id, reason) = (new.invoice_id.clone(), new.reason.clone());
    Waiver { id: id.clone(), invoice_id, on, amount, reason }
}

/// How much is given up: what was asked, or all that may be claimed. Never more than that, and below zero never more
/// than was given up by the day and by each later one.
fn waivable<D: Db>(
    db: &D,
    document: &Document,
    asked: Option<i64>,
    on: Date,
) -> Result<i64, Fault> {
    if asked == Some(0) {
        let detail = "a waiver is of more than nothing, or takes one back";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("minor").into());
    }
    let mut open = claimable(db, document, on)?.unwrap_or(0);
    let given_up = waived_from(db, document, on)?;
    let all = given_up.last_key_value().map_or(0, |(_, sum)| *sum);
    // What is taken back later stood until then.
    for (day, _) in given_up.iter().filter(|(_, sum)| **sum > all) {
        let then = of_document(db, document, *day, *day, i64::MAX)?;
        open = open.min(then.map_or(0, |of| of.outstanding_minor));
    }
    let least = given_up.values().min().copied().unwrap_or(0);
    let minor = asked.unwrap_or(open.max(0));
    if minor > open.max(0) || minor == 0 || minor < least.saturating_neg() {
        let detail = format!("{open} may be given up on {on}, and {least} be taken back");
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    amount_in_range(&Money::new(minor.max(1), document.currency), 1)
        .map_err(|refused| Refused { field: Some("minor".into()), ..refused })?;
    Ok(minor)
}

/// What was given up in sum by a day, and by each later day on which it changed.
fn waived_from<D: Db>(db: &D, document: &Document, on: Date) -> Result<BTreeMap<Date, i64>, Fault> {
    let mut by_day: BTreeMap<Date, i64> = [(on, 0)].into();
    for (_, day, minor) in interest_entry::waived(db, &[document.key], i64::MAX)? {
        let sum = by_day.entry(day.max(on)).or_default();
        *sum = sum.saturating_add(minor);
    }
    let mut sum = 0i64;
    for minor in by_day.values_mut() {
        sum = sum.saturating_add(*minor);
        *minor = sum;
    }
    Ok(by_day)
}

/// What may still be claimed up to a day. All notes and waivers count, also later ones: no day is charged twice.
fn claimable<D: Db>(db: &D, document: &Document, day: Date) -> Result<Option<i64>, Fault> {
    let of = of_document(db, document, day, Date::LAST, i64::MAX)?;
    Ok(of.map(|of| of.outstanding_minor))
}

fn known_document<D: Db>(db: &D, id: &Id) -> Result<Document, Fault> {
    let refused =
        || Refused::new(Refusal::UnknownInvoice, "no invoice has this id").at("invoice_id");
    let document = interest_entry::document(db, id)?;
    document.filter(|document| !document.is_part).ok_or_else(|| refused().into())
}

fn check_reason(reason: &str) -> Result<(), Refused> {
    if reason.trim().is_empty() {
        return Err(Refused::new(Refusal::MissingField, "a waiver has a reason").at("reason"));
    }
    if reason.chars().count() > MAX_REASON {
        let detail = format!("a reason has at most {MAX_REASON} characters");
        return Err(Refused::new(Refusal::TextTooLong, detail).at("reason"));
    }
    if reason.chars().any(|c| c.is_control() && c != '\n') {
        let detail = "a reason has no control characters";
        return Err(Refused::new(Refusal::MalformedText, detail).at("reason"));
    }
    Ok(())
}

/// The table of rates of this name.
pub fn rate_table<D: Db>(db: &D, name: &Id, when: impl Into<When>) -> Result<RateTable, Fault> {
    let when = when.into();
    let missing = || Fault::refused(Refusal::NotFound, "no table of rates has this name");
    let mut table = rates::tables(db, when.known)?.table(name).ok_or_else(missing)?;
    table.rows.retain(|row| row.valid_from <= when.day);
    Ok(table)
}

/// The names of all tables of rates.
pub fn rate_names<D: Db>(db: &D, known: i64) -> Result<Vec<Id>, Fault> {
    Ok(rates::tables(db, known)?.names())
}

/// Adds rows to a table of rates. A row of a day that has one takes its place; what is there already is left alone.
pub fn put_rates<D: Db>(
    db: &D,
    name: &Id,
    rows: &[RateRow],
    author: &Author,
) -> Result<Change, Fault> {
    if name.as_str() == CONTRACT_RATE {
        let detail = format!("{CONTRACT_RATE} is the contract's own rate, not a table");
        return Err(Refused::new(Refusal::MalformedField, detail).at("name").into());
    }
    rate::check_table(name, rows)?;
    write(db, |db| {
        let there = rates::tables(db, i64::MAX)?.table(name);
        let known = there.as_ref().map(|table| table.rows.as_slice()).unwrap_or_default();
        let new: Vec<&RateRow> = rows.iter().filter(|row| !known.contains(row)).collect();
        if new.is_empty() {
            return Ok(Change::AlreadySo);
        }
        let entry = note(db, author, &Note::made("rate", name.as_str(), &new)?)?;
        rates::insert_all(db, name, &new, entry)?;
        accrual::mark_all(db)?;
        Ok(if there.is_some() { Change::Replaced } else { Change::Made })
    })
}

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
        let (surrounded, alone): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| book.is_surrounded(item));
        let mut worked: Vec<Line> = Vec::with_capacity(keys.len());
        for item in &alone {
            worked.extend(lines_of(&book, &[item], 0, Vec::new(), day));
        }
        worked.extend(with_surroundings(db, &book, surrounded, day)?);
        accrual::put_all(db, &worked)?;
        lines = accrual::count(db, range)?;
    }
    accrual::looked(db, range)?;
    accrual::move_on(db, range, day)?;
    Ok(lines)
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
    let wanted: BTreeSet<i64> = asked.iter().map(|item| item.invoice_key).collect();
    let parents: BTreeSet<i64> = asked.iter().filter_map(|item| item.parent_key).collect();
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
    let claims = documents.values().flatten().map(|item| item.invoice_key);
    let claims: Vec<i64> = claims.chain(parents).collect();
    let charging = Charging::of(db, &claims, i64::MAX)?;
    let (fees, mut settled) = (charging.fees(day)?, charging.settled_by_claim());
    let roots: Vec<i64> = documents.keys().copied().collect();
    for (root, on, minor) in interest_entry::waived(db, &roots, i64::MAX)? {
        settled.entry(root).or_default().push((on, minor));
    }
    let mut lines = Vec::with_capacity(wanted.len());
    for (root, items) in &mut documents {
        items.sort_by_key(|item| (item.due_on, item.invoice_key));
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
    let found = clause.map(|(clause, _)| borne(book, clause, items, day, settled, &mut charges));
    let mut found = found.and_then(Result::ok).unwrap_or_default().into_iter().peekable();
    let line = |item: &&Item| {
        let own = found.next_if(|(of, _)| of.invoice_key == item.invoice_key);
        line(item, own.and_then(|(_, part)| part.ok()), day)
    };
    items.iter().map(line).collect()
}

fn line(item: &Item, accrued: Option<Accrued>, day: Date) -> Line {
    let (accrued_minor, watermark) = match accrued {
        Some(accrued) => (accrued.accrued_minor, accrued.watermark),
        None => (0, Some(level(0, Date::LAST))),
    };
    let mut watermark = watermark.unwrap_or_else(|| level(accrued_minor, day));
    // A dispute of a later day is seen when it comes.
    let days = item.disputes.iter().flat_map(|of| [Some(of.on), of.decided.map(|(on, _)| on)]);
    for later in days.flatten().filter(|later| *later > day) {
        watermark.until = watermark.until.min(later.plus_days(-1).unwrap_or(day));
    }
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
