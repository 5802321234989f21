//! A file comes in: its rows are checked and staged while it is read, and applied in one transaction when it is whole.

mod ahead;
mod paid;
mod terms;

use crate::{
    audit::{self, Author, Note, Sum},
    replay,
};
use dunlin_domain::{
    Id, Instant, Refusal, Refused,
    arrange::arrange,
    contract::ingest::{ImportKind, ImportResult, ImportState, OnError, RowError},
    profile,
};
use dunlin_store::{
    Db, End, Fault, customer, import, invoice, payment, verification, write, write_if,
};
use std::collections::BTreeMap;

pub use dunlin_store::import::{Checkpoint, Options, Run, Slice};

/// The most errors that a result lists; as many as a file may have kept stand in the table of errors.
pub const MAX_LISTED: usize = 1_000;

/// Imports that nobody has worked on for so long are taken for dead.
pub(crate) const ABANDONED_AFTER_SECONDS: i64 = 24 * 3600;

/// For so long a request that works on an import is taken for alive after it last said so.
const LEASE_SECONDS: i64 = 60;

/// From so many records on, the connection is given more room.
const LARGE: u64 = 100_000;

/// What the client asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Names the import.
    pub id: Id,
    /// The kind of record in the file.
    pub kind: ImportKind,
    /// The profile it is read with.
    pub profile: Id,
    /// What to do when a row is bad.
    pub on_error: OnError,
    /// Whether customers that rows name are made when they are not there.
    pub create_customers: bool,
}

/// What reading the file gave, beside its good rows.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Records and bad rows together.
    pub received: u64,
    /// What was wrong with bad rows: the first errors, and how many more there were.
    pub errors: Vec<RowError>,
    pub more_errors: u64,
    /// Bad rows. A row may have several errors.
    pub bad: u64,
    /// The SHA-256 of the file, in hex.
    pub file_hash: Option<String>,
    /// Whether the profile says which documents are cancelled, so that the other rows say of theirs that they are not.
    pub tells_void: bool,
}

/// Where the good rows are: in so many staged slices, and the last of them in memory.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub staged: i64,
    pub last: &'a Slice,
}

/// An import on which this request works: from the beginning, or from where an earlier one was cut.
#[derive(Clone, Debug)]
pub struct Work {
    pub run: Run,
    pub checkpoint: Checkpoint,
    /// The errors found before the checkpoint.
    pub errors: Vec<RowError>,
}

/// What an import of this id comes to.
#[derive(Clone, Debug)]
pub enum Begun {
    /// There is something to read.
    Work(Box<Work>),
    /// It was applied before. The file that it was has this SHA-256.
    Applied(Box<ImportResult>, Option<String>),
}

/// Begins an import, or goes on with one that was cut. Refused are other options than it was begun with, and an import
/// that another request works on. One that was rejected has stored nothing, and begins anew.
pub fn begin<D: Db>(db: &D, order: &Order, options: &Options, at: Instant) -> Result<Begun, Fault> {
    let lease = at.plus_seconds(LEASE_SECONDS);
    write(db, |db| {
        import::forget_abandoned(db, at.plus_seconds(-ABANDONED_AFTER_SECONDS), at)?;
        let work = match import::find(db, &order.id)? {
            Some(found) if found.state == ImportState::Applied => {
                same_options(&found.options, options)?;
                let result = found.result;
                let result =
                    result.ok_or_else(|| Fault::Db("an applied import has no result".into()))?;
                return Ok(Begun::Applied(Box::new(result), found.file_hash));
            }
            Some(found) if found.state == ImportState::Staging => {
                if found.lease_until.is_some_and(|until| until > at) {
                    return Err(taken("another request receives this import"));
                }
                same_options(&found.options, options)?;
                let run = import::take_over(db, found.run, lease)?;
                let errors = import::errors(db, run.key)?;
                Work { run, checkpoint: found.checkpoint, errors }
            }
            _ => {
                let asked = (order.kind, &order.profile, options);
                let run = import::start(db, &order.id, asked, at, lease)?;
                Work { run, checkpoint: Checkpoint::default(), errors: Vec::new() }
            }
        };
        Ok(Begun::Work(Box::new(work)))
    })
}

fn taken(detail: &str) -> Fault {
    Fault::refused(Refusal::ImportRunning, detail)
}

fn same_options(before: &Options, now: &Options) -> Result<(), Refused> {
    let mut names = before.keys().chain(now.keys());
    match names.find(|name| before.get(*name) != now.get(*name)) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("the import of this id was begun with another {name}");
            Err(Refused::new(Refusal::DifferentContent, detail).at(name))
        }
    }
}

/// Compares the file of an import that was applied with the one that came again.
pub fn same_file(before: Option<&str>, now: &str) -> Result<(), Refused> {
    if before == Some(now) {
        return Ok(());
    }
    let detail = "the import of this id was another file; nothing was changed";
    Err(Refused::new(Refusal::DifferentContent, detail).at("id"))
}

/// Keeps a slice of checked rows until the file is whole, and how far the file is read with it.
pub fn stage<D: Db>(
    db: &D,
    run: Run,
    slice: &Slice,
    checkpoint: &Checkpoint,
    errors: &[RowError],
    at: Instant,
) -> Result<(), Fault> {
    write(db, |db| {
        still_ours(db, run, at)?;
        import::stage(db, run, slice, checkpoint, errors)
    })
}

/// Says that the request still works, where the next slice is long in coming.
pub fn renew<D: Db>(db: &D, run: Run, at: Instant) -> Result<(), Fault> {
    write(db, |db| still_ours(db, run, at))
}

fn still_ours<D: Db>(db: &D, run: Run, at: Instant) -> Result<(), Fault> {
    if import::hold(db, run, at.plus_seconds(LEASE_SECONDS))? {
        return Ok(());
    }
    Err(taken("another request has taken this import over"))
}

/// Leaves an import whose file broke off as it is: the same file again goes on behind what was staged.
pub fn suspend<D: Db>(db: &D, run: Run, at: Instant) -> Result<(), Fault> {
    write(db, |db| import::hold(db, run, at).map(drop))
}

/// Gives up a file that cannot be read: nothing of it stays but the note.
pub fn abandon<D: Db>(db: &D, order: &Order, run: Run, at: Instant) -> Result<(), Fault> {
    write(db, |db| {
        if import::hold(db, run, at)? {
            let (result, _) = Tally::default().result(order, true, 0);
            import::finish(db, run.key, &result, &[], None, at)?;
        }
        Ok(())
    })
}

/// Applies a file that was read to its end. With `reject` one bad row means that nothing is stored.
pub fn apply<D: Db>(
    db: &D,
    order: &Order,
    run: Run,
    rows: Rows<'_>,
    reading: &Reading,
    author: &Author,
) -> Result<ImportResult, Fault> {
    let large = reading.received >= LARGE;
    if large {
        import::roomy(db, true)?;
    }
    let result = write_if(db, |db| apply_once(db, order, run, rows, reading, author));
    if large {
        import::roomy(db, false)?;
    }
    let (result, errors) = result?;
    if result.state == ImportState::Rejected {
        write(db, |db| {
            still_ours(db, run, author.at)?;
            import::finish(db, run.key, &result, &errors, reading.file_hash.as_deref(), author.at)
        })?;
    }
    Ok(result)
}

/// The result, and all errors that are kept.
type Outcome = (ImportResult, Vec<RowError>);

fn apply_once<D: Db>(
    db: &D,
    order: &Order,
    run: Run,
    rows: Rows<'_>,
    reading: &Reading,
    author: &Author,
) -> Result<(Outcome, End), Fault> {
    still_ours(db, run, author.at)?;
    let mut tally =
        Tally { refused: reading.bad, more_errors: reading.more_errors, ..Tally::default() };
    tally.tells_void = reading.tells_void;
    tally.errors.extend(reading.errors.iter().cloned());
    let reject = order.on_error == OnError::Reject;
    let (last_invoice, last_payment) = (invoice::last_key(db)?, payment::last_key(db)?);
    let last_customer = customer::last_key(db)?;
    let mut entry = None;
    if !(reject && reading.bad > 0) {
        ahead::change(db, run.key, rows, author, &mut tally)?;
        // What the file brought is known when its rows are through; they name the entry before.
        let begun = Note::made("import", order.id.as_str(), &order.kind)?;
        let noted = audit::note(db, author, &begun)?;
        entry = Some(noted);
        for kind in [ImportKind::Customers, ImportKind::Invoices, ImportKind::Payments] {
            apply_kind(db, order, run.key, rows, kind, noted, &mut tally)?;
        }
        if !(reject && tally.refused > 0) {
            replay::after(db, last_invoice, last_payment, author.at, Some(noted))?;
        }
    }
    if reject && tally.refused > 0 {
        return Ok((tally.result(order, true, reading.received), End::RollBack));
    }
    let rows = std::mem::take(&mut tally.rows).hex();
    let made = tally.made;
    let (result, errors) = tally.result(order, false, reading.received);
    match entry {
        Some(entry) if result.accepted == 0 && made == 0 => audit::forget(db, entry)?,
        Some(entry) => {
            let recorded =
                verification::recorded_since(db, last_invoice, last_payment, last_customer)?;
            let brought = brought(order, &result, made, &rows, &recorded);
            let whole = Note::made("import", order.id.as_str(), &brought)?;
            audit::complete(db, author, entry, &whole)?;
        }
        None => {}
    }
    import::finish(db, run.key, &result, &errors, reading.file_hash.as_deref(), author.at)?;
    Ok(((result, errors), End::Commit))
}

/// What the audit chain keeps of a file: how it was read, what became of it, the hash of its rows, and what they
/// recorded, which the verification compares with what is there.
fn brought(
    order: &Order,
    result: &ImportResult,
    made: u64,
    rows: &str,
    recorded: &str,
) -> serde_json::Value {
    serde_json::json!({
        "kind": order.kind,
        "profile": order.profile,
        "on_error": order.on_error,
        "received": result.received,
        "accepted": result.accepted,
        "unchanged": result.unchanged,
        "rejected": result.rejected,
        "customers_made": made,
        "rows": rows,
        "recorded": recorded,
    })
}

fn apply_kind<D: Db>(
    db: &D,
    order: &Order,
    key: i64,
    rows: Rows<'_>,
    kind: ImportKind,
    entry: i64,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let last = match kind {
        ImportKind::Customers => &rows.last.customers,
        ImportKind::Invoices => &rows.last.invoices,
        ImportKind::Payments => &rows.last.payments,
    };
    // A member of a group is taken in behind its head, which may stand in a later slice.
    let mut heads = Vec::new();
    if kind == ImportKind::Customers {
        for number in 0..rows.staged {
            heads.push(insert_heads(db, &staged(db, key, number, kind)?, entry)?);
        }
        heads.push(insert_heads(db, last, entry)?);
    }
    let mut heads = heads.into_iter();
    // Slices with documents about others, which may stand in a later slice.
    let mut later = Vec::new();
    for number in 0..rows.staged {
        let text = staged(db, key, number, kind)?;
        if apply_rows(db, order, kind, &text, heads.next().unwrap_or(0), entry, tally)? {
            later.push(number);
        }
    }
    let last_too = apply_rows(db, order, kind, last, heads.next().unwrap_or(0), entry, tally)?;
    for number in later {
        apply_documents(db, &staged(db, key, number, kind)?, true, entry, tally)?;
    }
    if last_too {
        apply_documents(db, last, true, entry, tally)?;
    }
    Ok(())
}

fn insert_heads<D: Db>(db: &D, rows: &str, entry: i64) -> Result<u64, Fault> {
    if is_empty(rows) { Ok(0) } else { customer::insert_all(db, rows, Some(entry)) }
}

fn staged<D: Db>(db: &D, key: i64, number: i64, kind: ImportKind) -> Result<String, Fault> {
    let text = import::rows(db, key, number, kind)?;
    text.ok_or_else(|| Fault::Db(format!("slice {number} of an import is gone")))
}

fn is_empty(rows: &str) -> bool {
    rows.is_empty() || rows == NONE
}

/// An empty JSON array: no rows of this kind in this slice.
const NONE: &str = "[]";

/// Applies the rows of a slice, and says whether some of them have to wait for those of later slices.
fn apply_rows<D: Db>(
    db: &D,
    order: &Order,
    kind: ImportKind,
    rows: &str,
    heads: u64,
    entry: i64,
    tally: &mut Tally,
) -> Result<bool, Fault> {
    if is_empty(rows) {
        return Ok(false);
    }
    tally.rows.add(kind.name());
    tally.rows.add(rows);
    if order.create_customers && kind != ImportKind::Customers {
        tally.made += customer::insert_named(db, rows, Some(entry))?;
    }
    if kind == ImportKind::Invoices && terms::are_said(rows) {
        return apply_documents(db, rows, false, entry, tally);
    }
    if kind == ImportKind::Payments {
        let done = paid::insert(db, rows, entry)?;
        let mut refused = done.errors;
        if done.left_out {
            refused.extend(refusals(db, kind, &done.rows, &[])?);
        }
        tally.take(done.added, done.total, refused);
        return Ok(false);
    }
    let (added, total) = match kind {
        ImportKind::Customers => {
            (heads + customer::insert_members(db, rows, Some(entry))?, import::count(db, rows)?)
        }
        _ => (invoice::insert_plain(db, rows, Some(entry))?, import::count(db, rows)?),
    };
    let mut refused = if added == total { Vec::new() } else { refusals(db, kind, rows, &[])? };
    if kind == ImportKind::Invoices && added < total {
        tally.name_void(db, rows, &mut refused)?;
    }
    tally.say(kind, &mut refused);
    tally.take(added, total, refused);
    Ok(false)
}

/// Applies rows of invoices that say more than their amount, first those that stand alone, then those about others.
/// Says whether the latter are left.
fn apply_documents<D: Db>(
    db: &D,
    rows: &str,
    about_others: bool,
    entry: i64,
    tally: &mut Tally,
) -> Result<bool, Fault> {
    let done = terms::insert(db, rows, about_others, entry)?;
    let mut refused = done.errors;
    if done.added < done.total {
        let mut wrong = refusals(db, ImportKind::Invoices, &done.rows, &done.differing)?;
        tally.name_void(db, &done.rows, &mut wrong)?;
        refused.extend(wrong);
    }
    tally.say(ImportKind::Invoices, &mut refused);
    tally.take(done.added, done.total, refused);
    Ok(done.later)
}

/// Why rows that were not added are not simply there already: one error for each row. `parts` are rows that are stored
/// with other instalments.
fn refusals<D: Db>(
    db: &D,
    kind: ImportKind,
    rows: &str,
    parts: &[u64],
) -> Result<Vec<RowError>, Fault> {
    let mut by_row: BTreeMap<u64, RowError> = BTreeMap::new();
    let mut refuse = |row: u64, field: &str, code: Refusal, detail: String| {
        by_row.entry(row).or_insert(RowError { row, field: Some(field.to_string()), code, detail });
    };
    if kind == ImportKind::Customers {
        for (row, code) in customer::misplaced(db, rows)? {
            refuse(row, "parent_id", code, code.about().to_string());
        }
    } else {
        for row in customer::unknown(db, rows)? {
            let detail =
                "no customer has this id; send customers first, or add create_missing=customers";
            refuse(row, "customer_id", Refusal::UnknownCustomer, detail.into());
        }
        for row in customer::merged(db, rows, kind == ImportKind::Invoices)? {
            let code = Refusal::CustomerMerged;
            refuse(row, "customer_id", code, code.about().to_string());
        }
    }
    if kind == ImportKind::Payments {
        for (row, code) in payment::misnamed(db, rows)? {
            refuse(row, "invoice_id", code, code.about().to_string());
        }
    }
    let differing = match kind {
        ImportKind::Customers => customer::differing(db, rows)?,
        ImportKind::Invoices => invoice::differing(db, rows)?,
        ImportKind::Payments => payment::differing(db, rows)?,
    };
    let parts = parts.iter().map(|row| (*row, "instalments".to_string()));
    for (row, field) in differing.into_iter().chain(parts) {
        let detail = format!("the id is stored with another {field}; nothing was changed");
        refuse(row, &field, Refusal::DifferentContent, detail);
    }
    Ok(by_row.into_values().collect())
}

/// Why a row changed nothing.
type Instead = (u64, Option<&'static str>, String);

#[derive(Default)]
struct Tally {
    added: u64,
    unchanged: u64,
    refused: u64,
    /// Customers that rows named and that were made for them.
    made: u64,
    /// Records that are there and were changed, which are unchanged by the time their rows are applied.
    changed: u64,
    /// Whether rows of documents say that these are not void.
    tells_void: bool,
    /// What is wrong with rows of customers that were to change one, and of documents that were to make one void: the row,
    /// the field where it is another than that of the error, and the detail. In the order of the rows.
    not_changed: Vec<Instead>,
    not_void: Vec<Instead>,
    errors: Vec<RowError>,
    more_errors: u64,
    /// Of every slice the kind and the rows as they were offered to the books.
    rows: Sum,
}

impl Tally {
    /// Says why a record was not changed where a row is refused for what stands there otherwise.
    fn say(&self, kind: ImportKind, refused: &mut [RowError]) {
        let (of, code) = match kind {
            ImportKind::Customers => (&self.not_changed, Refusal::DifferentContent),
            _ => (&self.not_void, Refusal::CancelledThere),
        };
        for error in refused.iter_mut().filter(|error| error.code == code) {
            let at = of.binary_search_by_key(&error.row, |(row, ..)| *row);
            if let Some((_, field, detail)) = at.ok().and_then(|at| of.get(at)) {
                error.field = field.map(str::to_string).or(error.field.take());
                error.detail.clone_from(detail);
            }
        }
    }

    /// Refuses rows whose documents are void here and not where they come from.
    fn name_void<D: Db>(
        &self,
        db: &D,
        rows: &str,
        refused: &mut Vec<RowError>,
    ) -> Result<(), Fault> {
        let void = if self.tells_void { invoice::void_among(db, rows)? } else { Vec::new() };
        for row in void {
            if refused.iter().any(|error| error.row == row) {
                continue;
            }
            let detail = "the document is void here and not there: correct it with `voided` false, or cancel it there";
            let (field, code) = (Some("id".into()), Refusal::DifferentContent);
            refused.push(RowError { row, field, code, detail: detail.into() });
        }
        Ok(())
    }

    /// Counts a slice: rows that were added, that were refused, and that were there already.
    fn take(&mut self, added: u64, total: u64, refused: Vec<RowError>) {
        let count = u64::try_from(refused.len()).unwrap_or(u64::MAX);
        self.added += added;
        self.refused += count;
        self.unchanged += total.saturating_sub(added).saturating_sub(count);
        self.errors.extend(refused);
        let over = self.errors.len().saturating_sub(profile::MAX_ERRORS);
        self.more_errors = self.more_errors.saturating_add(u64::try_from(over).unwrap_or(0));
        self.errors.truncate(profile::MAX_ERRORS);
    }

    fn result(mut self, order: &Order, rejected: bool, received: u64) -> Outcome {
        arrange(&mut self.errors, |one, other| one.row.cmp(&other.row));
        let result = ImportResult {
            import_id: order.id.clone(),
            state: if rejected { ImportState::Rejected } else { ImportState::Applied },
            received,
            accepted: if rejected { 0 } else { self.added.saturating_add(self.changed) },
            unchanged: if rejected { 0 } else { self.unchanged.saturating_sub(self.changed) },
            rejected: if rejected { received } else { self.refused },
            errors: Vec::new(),
            more_errors: self.more_errors,
            bank: None,
            staged_bytes: None,
            staged_rows: None,
        };
        (listing(result, &self.errors), self.errors)
    }
}

/// The result with the errors that it lists; the rest is counted.
fn listing(mut result: ImportResult, errors: &[RowError]) -> ImportResult {
    result.errors = errors.iter().take(MAX_LISTED).cloned().collect();
    let over = errors.len().saturating_sub(MAX_LISTED);
    result.more_errors = result.more_errors.saturating_add(u64::try_from(over).unwrap_or(0));
    result
}

/// What became of an import, or how far it has come.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<ImportResult, Fault> {
    let found = found(db, id)?;
    if let Some(result) = found.result {
        return Ok(result);
    }
    let checkpoint = found.checkpoint;
    let result = ImportResult {
        import_id: id.clone(),
        state: found.state,
        received: checkpoint.received,
        accepted: 0,
        unchanged: 0,
        rejected: checkpoint.refused,
        errors: Vec::new(),
        more_errors: checkpoint.more_errors,
        bank: None,
        staged_bytes: Some(checkpoint.bytes),
        staged_rows: Some(checkpoint.rows),
    };
    Ok(listing(result, &import::errors(db, found.run.key)?))
}

/// All errors of an import that are kept, in the order of their rows.
pub fn errors<D: Db>(db: &D, id: &Id) -> Result<Vec<RowError>, Fault> {
    let found = found(db, id)?;
    let kept = import::errors(db, found.run.key)?;
    Ok(if kept.is_empty() { found.result.map(|r| r.errors).unwrap_or_default() } else { kept })
}

fn found<D: Db>(db: &D, id: &Id) -> Result<import::Found, Fault> {
    let none = || Fault::refused(Refusal::NotFound, "no import has this id");
    import::find(db, id)?.ok_or_else(none)
}
