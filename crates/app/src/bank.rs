//! Statements of bank accounts come in: their entries are matched, and what is certain is booked, in one transaction.
//! What is not waits for somebody who confirms or rejects it.

use crate::{
    audit::{self, Author, Note, Sum},
    import::ABANDONED_AFTER_SECONDS,
    ledger::{Change, known_customer, missing},
    payment, replay,
};
use dunlin_domain::{
    Decimal, Id, Money, Refusal, Refused,
    bank::{
        Entry, Piece, Statement,
        matching::{self, Claim, Customer, RULE, Taken, Verdict, World},
        name::{self, Name},
        words::{self, Clues},
    },
    contract::{
        bank::{
            BankFormat, BankImport, BankMatch, BankStatement, Candidate, Confirmation, MatchCounts,
            MatchReason, MatchState, Rejection,
        },
        ingest::{ImportResult, ImportState},
        ledger::NewReversal,
        types::{NewPayment, ReversalKind},
    },
    text,
};
use dunlin_store::{Db, Fault, bank, customer, import, invoice, reversal, verification, write};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Entries in a slice: large slices look up a customer of many entries once, and this many with what they may pay are
/// some twenty megabytes.
const SLICE: u64 = 4_000;

/// The most statements of one file: they are in memory together. A year of daily statements of fifty accounts.
const MAX_STATEMENTS: usize = 20_000;

/// Documents and customers whose numbers and names are looked at in one go.
const KEYS: i64 = 20_000;

/// From so many entries on, the connection is given more room.
const LARGE: u64 = 50_000;

/// What stands before the id of a match in the id of its payment or reversal.
const BOOKED: &str = "bank-";

/// Entries and statements on their way from a reader to the database.
#[derive(Debug, Default)]
pub struct Intake {
    statements: Vec<(Statement, String)>,
    digest: Sum,
    slice: String,
    in_slice: u64,
    entries: u64,
}

impl Intake {
    /// Takes what was read. When a slice is full it is given, to be staged.
    pub fn take(&mut self, piece: &Piece) -> Result<Option<String>, Fault> {
        match piece {
            Piece::Entry(entry) => {
                let text = crate::ledger::json(entry)?;
                self.digest.add(&text);
                self.slice.push(if self.slice.is_empty() { '[' } else { ',' });
                self.slice.push_str(&format!("[{},{text}]", self.statements.len()));
                self.entries = self.entries.saturating_add(1);
                self.in_slice = self.in_slice.saturating_add(1);
            }
            Piece::Statement(statement) => {
                if self.statements.len() >= MAX_STATEMENTS {
                    let detail = format!("a file has at most {MAX_STATEMENTS} statements");
                    return Err(Fault::refused(Refusal::BodyTooLarge, detail));
                }
                self.digest.add(&crate::ledger::json(statement)?);
                let digest = std::mem::take(&mut self.digest).hex();
                self.statements.push((statement.clone(), digest));
            }
        }
        Ok((self.in_slice >= SLICE).then(|| self.rest()))
    }

    /// The entries that are not staged yet.
    pub fn rest(&mut self) -> String {
        self.in_slice = 0;
        let mut slice = std::mem::take(&mut self.slice);
        slice.push_str(if slice.is_empty() { "[]" } else { "]" });
        slice
    }
}

/// Notes that a file is being read and gives the key to stage its slices under.
pub fn start<D: Db>(db: &D, id: &Id, author: &Author) -> Result<i64, Fault> {
    write(db, |db| {
        bank::forget_abandoned(db, author.at.plus_seconds(-ABANDONED_AFTER_SECONDS))?;
        bank::start(db, id, author.at)
    })
}

/// Keeps a slice of entries until the file is whole.
pub fn stage<D: Db>(db: &D, key: i64, number: i64, entries: &str) -> Result<(), Fault> {
    write(db, |db| bank::stage(db, key, number, entries))
}

/// Gives up a file that was refused or could not be read to its end: nothing of it stays.
pub fn abandon<D: Db>(db: &D, key: i64) -> Result<(), Fault> {
    write(db, |db| bank::forget(db, key))
}

/// What became of a file.
pub fn imported<D: Db>(db: &D, id: &Id) -> Result<Option<ImportResult>, Fault> {
    bank::imported(db, id)
}

/// A file that was read to its end.
#[derive(Debug)]
pub struct File {
    pub id: Id,
    pub key: i64,
    pub format: BankFormat,
    pub intake: Intake,
    /// Slices that were staged; the entries after them are in memory.
    pub staged: i64,
    pub last: String,
}

/// Takes a file in: new statements with their entries, and payments for what is certain.
pub fn apply<D: Db>(db: &D, file: &File, author: &Author) -> Result<ImportResult, Fault> {
    let large = file.intake.entries >= LARGE;
    if large {
        import::roomy(db, true)?;
    }
    let result = write(db, |db| apply_once(db, file, author));
    if large {
        import::roomy(db, false)?;
    }
    result
}

fn apply_once<D: Db>(db: &D, file: &File, author: &Author) -> Result<ImportResult, Fault> {
    let mut book = Book::new(db, file)?;
    if !book.new.is_empty() {
        let (last_invoice, last_payment) =
            (invoice::last_key(db)?, dunlin_store::payment::last_key(db)?);
        let begun = Note::made("bank-statement", file.id.as_str(), &file.format)?;
        let last_entry = bank::last_key(db)?;
        book.entry = audit::note(db, author, &begun)?;
        book.insert_statements(db, file)?;
        catch_up(db)?;
        for number in 0..file.staged {
            book.slice(db, &bank::staged(db, file.key, number)?)?;
        }
        book.slice(db, &file.last)?;
        let reversed = book.take_back(db, last_entry)?;
        replay::after(db, last_invoice, last_payment, author.at, Some(book.entry))?;
        replay::customers(db, &reversed, author.at, Some(book.entry))?;
        let recorded = verification::recorded_since(db, last_invoice, last_payment)?;
        let whole = Note::made("bank-statement", file.id.as_str(), &book.brought(file, &recorded))?;
        audit::complete(db, author, book.entry, &whole)?;
    }
    let result = book.result(file);
    bank::finish(db, file.key, &result, author.at)?;
    Ok(result)
}

/// The id of a statement: it follows from the account and the bank's name for it.
fn statement_id(statement: &Statement) -> Result<Id, Fault> {
    let sum = audit::sha256(&[&statement.account, &statement.id]);
    Ok(sum.get(..24).unwrap_or_default().parse()?)
}

/// A file that is being taken in.
struct Book {
    ids: Vec<Id>,
    /// The statements that are new, by their place in the file.
    new: BTreeSet<usize>,
    keys: BTreeMap<Id, i64>,
    /// How many entries of each statement came by.
    numbers: Vec<u64>,
    currencies: Vec<dunlin_domain::Currency>,
    entry: i64,
    taken: Taken,
    counts: MatchCounts,
    accepted: u64,
}

impl Book {
    /// Looks which statements are there already: the same is left alone, another of the same name is refused.
    fn new<D: Db>(db: &D, file: &File) -> Result<Self, Fault> {
        let statements = &file.intake.statements;
        let ids: Vec<Id> =
            statements.iter().map(|(of, _)| statement_id(of)).collect::<Result<_, _>>()?;
        let mut known = bank::digests(db, &ids.iter().collect::<Vec<_>>())?;
        let mut new = BTreeSet::new();
        for (at, ((statement, digest), id)) in statements.iter().zip(&ids).enumerate() {
            match known.insert(id.clone(), digest.clone()) {
                None => {
                    new.insert(at);
                }
                Some(before) if before == *digest => {}
                Some(_) => {
                    let detail = format!(
                        "statement {} of account {} is there with other content",
                        statement.id, statement.account
                    );
                    let refused = Refused::new(Refusal::DifferentContent, detail);
                    return Err(refused.at("statement_id").into());
                }
            }
        }
        Ok(Self {
            new,
            keys: BTreeMap::new(),
            numbers: vec![0; ids.len()],
            ids,
            currencies: statements.iter().map(|(statement, _)| statement.currency).collect(),
            entry: 0,
            taken: Taken::default(),
            counts: MatchCounts::default(),
            accepted: 0,
        })
    }

    fn insert_statements<D: Db>(&mut self, db: &D, file: &File) -> Result<(), Fault> {
        let of = file.intake.statements.iter().zip(&self.ids).enumerate();
        let rows: Vec<serde_json::Value> = of
            .filter(|(at, _)| self.new.contains(at))
            .map(|(_, ((of, digest), id))| {
                json!([
                    id,
                    of.account,
                    of.id,
                    of.sequence,
                    file.format,
                    of.from,
                    of.to,
                    of.currency,
                    of.opening_minor,
                    of.closing_minor,
                    of.entries,
                    of.pending,
                    digest
                ])
            })
            .collect();
        self.keys = bank::insert_statements(db, &rows, self.entry)?;
        Ok(())
    }

    /// Matches a slice of entries and records them with the payments that follow.
    fn slice<D: Db>(&mut self, db: &D, slice: &str) -> Result<(), Fault> {
        let read: Vec<(usize, Entry)> = serde_json::from_str(slice)
            .map_err(|e| Fault::Db(format!("a slice of a file of statements: {e}")))?;
        let mut rows: Vec<Row> = Vec::with_capacity(read.len());
        for (at, entry) in read {
            let fault = || Fault::Db("an entry of no statement".into());
            let number = self.numbers.get_mut(at).ok_or_else(fault)?;
            *number = number.saturating_add(1);
            if !self.new.contains(&at) {
                continue;
            }
            let id = self.ids.get(at).ok_or_else(fault)?;
            rows.push(Row {
                id: format!("{id}-{number}").parse()?,
                statement: *self.keys.get(id).ok_or_else(fault)?,
                number: *number,
                currency: *self.currencies.get(at).ok_or_else(fault)?,
                clues: if entry.minor > 0 { words::clues(&entry) } else { Clues::default() },
                entry,
            });
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut world = world(db, &rows, &self.taken)?;
        world.sum_up(rows.iter().map(|row| (&row.entry, &row.clues, row.currency)));
        let mut verdicts = Vec::with_capacity(rows.len());
        for row in &rows {
            let taken = &mut self.taken;
            let verdict = matching::judge(&row.entry, &row.clues, row.currency, &mut world, taken);
            let count = match verdict.state {
                MatchState::Automatic => &mut self.counts.automatic,
                MatchState::Review => &mut self.counts.review,
                _ => &mut self.counts.unmatched,
            };
            *count = count.saturating_add(1);
            verdicts.push(verdict);
        }
        let (mut entries, mut payments) = (Vec::with_capacity(rows.len()), Vec::new());
        for (row, verdict) in rows.iter().zip(&verdicts) {
            payments.extend(row.payment(verdict, &world)?);
            entries.push(row.stored(verdict));
        }
        let wanted = u64::try_from(payments.len()).unwrap_or(u64::MAX);
        let added = dunlin_store::payment::insert_all(
            db,
            &crate::ledger::json(&payments)?,
            Some(self.entry),
        )?;
        if added != wanted {
            let detail = "a payment has the id that one of an entry would have";
            return Err(Fault::refused(Refusal::DifferentContent, detail));
        }
        bank::insert_entries(db, &entries, RULE, self.entry)?;
        self.accepted = self.accepted.saturating_add(u64::try_from(entries.len()).unwrap_or(0));
        Ok(())
    }

    /// Books what takes back one earlier entry and no other, and lists the candidates of the rest. Gives the customers
    /// whose payments went back.
    fn take_back<D: Db>(&mut self, db: &D, after: i64) -> Result<Vec<i64>, Fault> {
        let mut of: BTreeMap<i64, Vec<bank::TakingBack>> = BTreeMap::new();
        let mut wanted: BTreeMap<i64, u32> = BTreeMap::new();
        for found in bank::taking_back(db, after)? {
            let times = wanted.entry(found.4).or_default();
            *times = times.saturating_add(1);
            of.entry(found.0).or_default().push(found);
        }
        let (mut reversals, mut customers) = (Vec::new(), BTreeSet::new());
        let mut settled: Vec<bank::Settled> = Vec::new();
        for (key, found) in &of {
            let candidates: Vec<Candidate> = found
                .iter()
                .zip(1u32..=5)
                .map(|((_, _, _, _, _, payment, _, customer), number)| Candidate {
                    number,
                    customer_id: customer.clone(),
                    designation: None,
                    payment_id: Some(payment.clone()),
                    score: Decimal::ONE,
                    reasons: match found.len() {
                        1 => vec![MatchReason::ReversalOfEntry],
                        _ => vec![MatchReason::ReversalOfEntry, MatchReason::Ambiguous],
                    },
                })
                .collect();
            let candidates = crate::ledger::json(&candidates)?;
            match found.as_slice() {
                [(_, id, on, minor, payment, _, customer, _)]
                    if wanted.get(payment) == Some(&1) =>
                {
                    let kind = ReversalKind::Returned;
                    reversals.push((booked(id), customer, payment, on, kind, minor, None::<&str>));
                    customers.insert(*customer);
                    let state = MatchState::Automatic;
                    settled.push((*key, state, Some(*customer), Some(*payment), Some(candidates)));
                    self.counts.automatic = self.counts.automatic.saturating_add(1);
                    self.counts.review = self.counts.review.saturating_sub(1);
                }
                _ => settled.push((*key, MatchState::Review, None, None, Some(candidates))),
            }
        }
        reversal::insert_all(db, &reversals, self.entry)?;
        bank::settle(db, &settled, self.entry)?;
        Ok(customers.into_iter().collect())
    }

    /// What the audit chain keeps of a file: its statements by their digests, what became of the entries, and what they
    /// recorded, which the verification compares with what is there.
    fn brought(&self, file: &File, recorded: &str) -> serde_json::Value {
        let of = file.intake.statements.iter().zip(&self.ids).enumerate();
        let statements: Vec<serde_json::Value> = of
            .filter(|(at, _)| self.new.contains(at))
            .map(|(_, ((_, digest), id))| json!({"id": id, "digest": digest}))
            .collect();
        json!({"format": file.format, "rule": RULE, "statements": statements, "matches": self.counts,
            "recorded": recorded})
    }

    fn result(&self, file: &File) -> ImportResult {
        let of = |new: bool| {
            let ids = self.ids.iter().enumerate().filter(|(at, _)| self.new.contains(at) == new);
            ids.map(|(_, id)| id.clone()).collect()
        };
        let received = file.intake.entries;
        ImportResult {
            import_id: file.id.clone(),
            state: ImportState::Applied,
            received,
            accepted: self.accepted,
            unchanged: received.saturating_sub(self.accepted),
            rejected: 0,
            errors: Vec::new(),
            more_errors: 0,
            staged_bytes: None,
            staged_rows: None,
            bank: Some(BankImport {
                statements: of(true),
                statements_unchanged: of(false),
                matches: self.counts,
            }),
        }
    }
}

/// The id of the payment or reversal of a match.
fn booked(id: &Id) -> String {
    format!("{BOOKED}{id}")
}

/// An entry with what it is found by.
struct Row {
    id: Id,
    statement: i64,
    number: u64,
    currency: dunlin_domain::Currency,
    entry: Entry,
    clues: Clues,
}

impl Row {
    /// A row of the payments' `insert_all.sql`.
    fn payment<'a>(
        &'a self,
        verdict: &'a Verdict,
        world: &'a World,
    ) -> Result<Option<impl Serialize + use<'a>>, Fault> {
        let Some((customer, designation)) = &verdict.booked else { return Ok(None) };
        let unknown = || Fault::Db("a match names a customer that was not read".into());
        let customer = world.customers.get(customer).ok_or_else(unknown)?;
        let designation = (!designation.is_empty()).then_some(designation);
        let none = None::<i64>;
        Ok(Some((
            self.number,
            booked(&self.id),
            &customer.id,
            self.entry.booked_on,
            self.entry.minor,
            self.currency,
            none,
            none,
            none,
            designation,
        )))
    }

    /// A row of `insert_entries.sql`.
    fn stored<'a>(&'a self, verdict: &'a Verdict) -> impl Serialize + use<'a> {
        let entry = &self.entry;
        (
            &self.id,
            self.statement,
            self.number,
            entry.booked_on,
            entry.value_on,
            entry.minor,
            i64::from(entry.reversal),
            (!entry.references.is_empty()).then_some(&entry.references),
            &entry.end_to_end,
            &entry.bank_reference,
            (!entry.remittance.is_empty()).then_some(&entry.remittance),
            &entry.name,
            &entry.account,
            verdict.state,
            &verdict.candidates,
            verdict.booked.as_ref().map(|(customer, _)| customer),
        )
    }
}

/// What the ledger has for these entries, less what the file itself has paid so far.
fn world<D: Db>(db: &D, rows: &[Row], taken: &Taken) -> Result<World, Fault> {
    let (mut numbers, mut accounts, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.entry.minor > 0) {
        numbers.extend(row.clues.structured.iter().chain(&row.clues.numbers).map(String::as_str));
        accounts.extend(row.entry.account.as_deref());
        names.extend(row.clues.name.as_deref());
    }
    for texts in [&mut numbers, &mut accounts, &mut names] {
        texts.sort_unstable();
        texts.dedup();
    }
    let (found, paying, called) = bank::found(db, &numbers, &accounts, &names)?;
    let mut world = World::default();
    let (mut documents, mut customers) = (Vec::new(), Vec::new());
    for (text, targets) in found {
        for (document, whole) in targets {
            documents.push(document);
            world.number(text.clone(), document, whole == 1);
        }
    }
    for (account, customer) in paying {
        customers.push(customer);
        world.account(account, customer);
    }
    for (name, targets) in called {
        for customer in targets {
            customers.push(customer);
            world.name(name.clone(), customer);
        }
    }
    for keys in [&mut documents, &mut customers] {
        keys.sort_unstable();
        keys.dedup();
    }
    let (payers, claims) = bank::owed(db, &documents, &customers)?;
    for (key, id, name) in payers {
        world.customers.insert(key, Customer { id, name: Name::new(&name) });
    }
    for (
        key,
        document,
        document_id,
        customer,
        currency,
        issued_on,
        due_on,
        amount,
        open,
        share,
        days,
    ) in claims
    {
        let share = share.and_then(|share| share.parse::<Decimal>().ok());
        world.claim(Claim {
            key,
            document,
            document_id,
            customer,
            currency,
            issued_on,
            due_on,
            amount_minor: amount,
            open_minor: taken.left(key, open),
            discount: share.zip(days),
        });
    }
    Ok(world)
}

/// Brings what documents and customers are found by up to date with what came since the last statement.
fn catch_up<D: Db>(db: &D) -> Result<(), Fault> {
    let mut upto = bank::progress(db, "invoice")?;
    loop {
        let documents = bank::documents(db, upto, KEYS)?;
        let Some((last, _)) = documents.last() else { break };
        upto = *last;
        let mut rows = Vec::with_capacity(documents.len());
        for (key, id) in documents {
            let (whole, parts) = words::of_document(&id);
            rows.extend(parts.into_iter().map(|part| (part, "part", key)));
            rows.push((whole, "number", key));
        }
        bank::insert_keys(db, &rows)?;
    }
    bank::progressed(db, "invoice", upto)?;
    let changed = bank::renamed(db, bank::progress(db, "audit")?)?;
    let keys: Vec<i64> = changed.iter().map(|(key, _)| *key).collect();
    bank::delete_names(db, &keys)?;
    call(db, changed)?;
    let head = dunlin_store::audit::head(db)?.map_or(0, |(key, _)| key);
    bank::progressed(db, "audit", head)?;
    let mut upto = bank::progress(db, "customer")?;
    loop {
        let names = bank::names(db, upto, KEYS)?;
        let Some((last, _)) = names.last() else { break };
        upto = *last;
        call(db, names)?;
    }
    bank::progressed(db, "customer", upto)
}

/// Adds the names that customers are found by.
fn call<D: Db>(db: &D, customers: Vec<(i64, String)>) -> Result<(), Fault> {
    let named = customers.into_iter().filter(|(_, name)| name != dunlin_store::erasure::ERASED);
    let rows: Vec<(String, &str, i64)> = named
        .map(|(key, name)| (name::key(&name), "name", key))
        .filter(|(name, _, _)| !name.is_empty())
        .collect();
    bank::insert_keys(db, &rows)
}

/// Matches after a key: all, or those in a state.
pub fn matches<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    state: Option<MatchState>,
) -> Result<Vec<(i64, BankMatch)>, Fault> {
    bank::matches(db, after, limit, state, None)
}

/// A match.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<BankMatch, Fault> {
    Ok(found(db, id)?.1)
}

fn found<D: Db>(db: &D, id: &Id) -> Result<(i64, BankMatch), Fault> {
    bank::matches(db, 0, 1, None, Some(id))?.pop().ok_or_else(|| missing("match"))
}

/// Statements after a key.
pub fn statements<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, BankStatement)>, Fault> {
    bank::statements(db, after, limit, None)
}

/// A statement.
pub fn statement<D: Db>(db: &D, id: &Id) -> Result<BankStatement, Fault> {
    let found = bank::statements(db, 0, 1, Some(id))?.pop();
    found.map(|(_, statement)| statement).ok_or_else(|| missing("statement"))
}

/// Somebody says what an entry is: its payment or reversal is booked, and the payer's account is learned.
pub fn confirm<D: Db>(
    db: &D,
    id: &Id,
    new: &Confirmation,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| {
        let (key, item) = found(db, id)?;
        if item.state == MatchState::Automatic {
            let detail = "the rule booked it: reverse its payment if that is wrong";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let said = said(&item, new)?;
        let done = if item.minor > 0 {
            pay(db, &item, &said, author)?
        } else {
            give_back(db, &item, &said, author)?
        };
        if done.change == Change::AlreadySo {
            return Ok(Change::AlreadySo);
        }
        let note =
            Note::changed("confirm", "bank-match", id.as_str(), Some(&item.state), Some(new))?;
        let personal = json!({"payer_name": item.payer_name, "payer_account": item.payer_account});
        let entry = audit::note(db, author, &note.with_personal(&personal, done.customer)?)?;
        let row = (key, MatchState::Confirmed, Some(done.customer), Some(done.payment), None);
        bank::settle(db, &[row], entry)?;
        if let (Some(account), true) = (&item.payer_account, item.minor > 0) {
            let on = crate::ledger::today(db, author.at)?;
            bank::teach(db, account, done.customer, on, entry)?;
        }
        Ok(Change::Replaced)
    })
}

/// A confirmation with the candidate that it names in place of its number.
fn said(item: &BankMatch, new: &Confirmation) -> Result<Candidate, Fault> {
    let refused = |code: Refusal, field: &str, detail: &str| {
        Err(Fault::from(Refused::new(code, detail).at(field)))
    };
    let credit = item.minor > 0;
    if let Some(number) = new.candidate {
        if new.customer_id.is_some() || new.designation.is_some() || new.payment_id.is_some() {
            return refused(Refusal::MalformedField, "candidate", "a candidate says it all");
        }
        let found = item.candidates.iter().find(|candidate| candidate.number == number);
        let Some(candidate) = found else {
            return refused(
                Refusal::MalformedField,
                "candidate",
                "the match has no such candidate",
            );
        };
        return Ok(candidate.clone());
    }
    match (&new.customer_id, &new.payment_id) {
        (Some(_), Some(_)) => {
            refused(Refusal::MalformedField, "payment_id", "a customer or a payment, not both")
        }
        (Some(_), None) if !credit => {
            refused(Refusal::MissingField, "payment_id", "a debit takes back a payment: name it")
        }
        (None, Some(_)) if credit => refused(
            Refusal::MissingField,
            "customer_id",
            "a credit is somebody's: name the customer",
        ),
        (None, None) => {
            let field = if credit { "customer_id" } else { "payment_id" };
            refused(Refusal::MissingField, field, "a candidate or its parts")
        }
        (customer, payment) => Ok(Candidate {
            number: 0,
            customer_id: customer.clone().map_or_else(|| "-".parse(), Ok)?,
            designation: new.designation.clone(),
            payment_id: payment.clone(),
            score: Decimal::ZERO,
            reasons: Vec::new(),
        }),
    }
}

/// What a confirmation led to.
struct Done {
    change: Change,
    customer: i64,
    payment: i64,
}

fn pay<D: Db>(db: &D, item: &BankMatch, said: &Candidate, author: &Author) -> Result<Done, Fault> {
    let customer = known_customer(db, &said.customer_id)?;
    let id: Id = booked(&item.id).parse()?;
    let new = NewPayment {
        id: Some(id.clone()),
        customer_id: said.customer_id.clone(),
        received_on: item.booked_on,
        amount: Money { minor: item.minor, currency: item.currency },
        invoice_id: None,
        designation: said.designation.clone(),
        order: None,
        contract_id: None,
        deductions: None,
        settles: None,
    };
    let change = payment::record(db, &id, &new, author)?;
    let payment = dunlin_store::payment::key(db, &id)?.ok_or_else(|| missing("payment"))?.0;
    Ok(Done { change, customer, payment })
}

fn give_back<D: Db>(
    db: &D,
    item: &BankMatch,
    said: &Candidate,
    author: &Author,
) -> Result<Done, Fault> {
    let unknown =
        || Refused::new(Refusal::UnknownPayment, "no payment has this id").at("payment_id");
    let id = said.payment_id.as_ref().ok_or_else(unknown)?;
    let (payment, _) = dunlin_store::payment::key(db, id)?.ok_or_else(unknown)?;
    let reversal: Id = booked(&item.id).parse()?;
    let new = NewReversal {
        id: Some(reversal.clone()),
        on: Some(item.booked_on),
        kind: ReversalKind::Returned,
        minor: Some(item.minor.saturating_neg()),
        reason: None,
    };
    let change = payment::go_back(db, id, &reversal, &new, author)?;
    let customer = payment::get(db, id, dunlin_domain::Date::LAST, i64::MAX)?.customer_id;
    let customer = customer::key(db, &customer)?.ok_or_else(|| missing("customer"))?;
    Ok(Done { change, customer, payment })
}

/// Somebody says that an entry is none of its candidates. It stays, and can be confirmed later.
pub fn reject<D: Db>(db: &D, id: &Id, new: &Rejection, author: &Author) -> Result<Change, Fault> {
    text::check_optional(new.reason.as_deref(), payment::MAX_REASON, "reason")?;
    write(db, |db| {
        let (key, item) = found(db, id)?;
        match item.state {
            MatchState::Rejected => return Ok(Change::AlreadySo),
            MatchState::Review | MatchState::Unmatched => {}
            MatchState::Automatic | MatchState::Confirmed => {
                let detail = "it was booked: reverse its payment if that is wrong";
                return Err(Fault::refused(Refusal::WrongState, detail));
            }
        }
        let note =
            Note::changed("reject", "bank-match", id.as_str(), Some(&item.state), Some(new))?;
        let entry = audit::note(db, author, &note)?;
        bank::settle(db, &[(key, MatchState::Rejected, None, None, None)], entry)?;
        Ok(Change::Replaced)
    })
}
