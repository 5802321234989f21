//! A file of statements becomes entries, matches and payments.

use super::{File, decision::booked, gaps, repeated::Before, world::Known};
use crate::{
    audit::{self, Author, Note},
    replay,
};
use dunlin_domain::{
    Currency, Date, Decimal, Id, Refusal, Refused,
    bank::{
        Entry, Statement, charge,
        matching::{self, RULE, Verdict},
        own,
        repeated::{Place, Repeats},
        words::Clues,
        world::{Sight, Taken, World},
    },
    contract::{
        bank::{BankImport, Candidate, MatchCounts, MatchReason, MatchState, StatementWithGap},
        ingest::{ImportResult, ImportState},
        types::ReversalKind,
    },
};
use dunlin_store::{Db, Fault, bank, customer, invoice, payment, reversal, verification};
use serde_json::json;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Takes a file in, inside the transaction.
pub(super) fn apply<D: Db>(db: &D, file: &File, author: &Author) -> Result<ImportResult, Fault> {
    let mut book = Book::new(db, file, crate::ledger::today(db, author.at)?)?;
    if !book.new.is_empty() {
        let (last_invoice, last_payment) = (invoice::last_key(db)?, payment::last_key(db)?);
        let last_customer = customer::last_key(db)?;
        let begun = Note::made("bank-statement", file.id.as_str(), &file.format)?;
        let last_entry = bank::last_key(db)?;
        book.entry = audit::note(db, author, &begun)?;
        let last_statement = bank::last_statement(db)?;
        book.insert_statements(db, file)?;
        book.gaps = book.look_for_gaps(db, file, last_statement)?;
        let own = (book.own.as_slice(), &book.ours);
        book.before = Before::read(db, file, own, &book.new, last_statement)?;
        book.known = Known::catch_up(db, last_payment)?;
        for number in 0..file.staged {
            book.slice(db, file, &bank::staged(db, file.key, number)?)?;
        }
        book.slice(db, file, &file.last)?;
        let reversed = book.take_back(db, last_entry)?;
        replay::after(db, last_invoice, last_payment, author.at, Some(book.entry))?;
        replay::customers(db, &reversed, author.at, Some(book.entry))?;
        let recorded = verification::recorded_since(db, last_invoice, last_payment, last_customer)?;
        let whole = Note::made("bank-statement", file.id.as_str(), &book.brought(file, &recorded))?;
        audit::complete(db, author, book.entry, &whole)?;
    }
    let result = book.result(file);
    bank::finish(db, file.key, &result, author.at)?;
    Ok(result)
}

/// Which of our accounts these statements are of. Where one of them is the first to show the IBAN behind a number, the
/// statements before it are of that IBAN from now on.
fn own_accounts<D: Db>(
    db: &D,
    statements: &[(Statement, String)],
) -> Result<(Vec<String>, BTreeSet<String>), Fault> {
    let before = bank::own_accounts(db)?;
    let ours: BTreeSet<&str> =
        before.iter().chain(statements.iter().map(|(of, _)| &of.own)).map(String::as_str).collect();
    let known = |own: &str| own::known(own, ours.iter().copied()).to_string();
    let found = statements.iter().map(|(of, _)| known(&of.own)).collect();
    let renamed: Vec<(&String, String)> =
        before.iter().map(|own| (own, known(own))).filter(|(own, is)| *own != is).collect();
    if !renamed.is_empty() {
        bank::rename_own(db, &renamed)?;
    }
    Ok((found, before.iter().map(|own| known(own)).collect()))
}

/// The id of a statement: it follows from the account and the bank's name for it.
fn statement_id(statement: &Statement) -> Result<Id, Fault> {
    let sum = audit::sha256(&[&statement.account, &statement.id]);
    Ok(sum.get(..24).unwrap_or_default().parse()?)
}

/// A file that is being taken in.
struct Book {
    ids: Vec<Id>,
    /// Which of our accounts each statement is of, however it spells it.
    own: Vec<String>,
    /// All our accounts that statements came of before.
    ours: BTreeSet<String>,
    /// The statements that are new, by their place in the file.
    new: BTreeSet<usize>,
    keys: BTreeMap<Id, i64>,
    /// How many entries of each statement came by.
    numbers: Vec<u64>,
    entry: i64,
    /// What is booked later than today waits for somebody.
    today: Date,
    taken: Taken,
    known: Known,
    before: Before,
    gaps: Vec<StatementWithGap>,
    counts: MatchCounts,
    accepted: u64,
}

impl Book {
    /// Looks which statements are there already: the same is left alone, another of the same name is refused.
    fn new<D: Db>(db: &D, file: &File, today: Date) -> Result<Self, Fault> {
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
        let (own, ours) = own_accounts(db, statements)?;
        Ok(Self {
            own,
            ours,
            new,
            keys: BTreeMap::new(),
            numbers: vec![0; ids.len()],
            ids,
            entry: 0,
            today,
            taken: Taken::default(),
            known: Known::default(),
            before: Before::default(),
            gaps: Vec::new(),
            counts: MatchCounts::default(),
            accepted: 0,
        })
    }

    fn insert_statements<D: Db>(&mut self, db: &D, file: &File) -> Result<(), Fault> {
        let of = file.intake.statements.iter().zip(&self.ids).enumerate();
        let rows: Vec<serde_json::Value> = of
            .filter(|(at, _)| self.new.contains(at))
            .map(|(at, ((of, digest), id))| {
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
                    digest,
                    file.intake.spans.get(at).copied().flatten().map(|(first, _)| first),
                    self.own.get(at)
                ])
            })
            .collect();
        self.keys = bank::insert_statements(db, &rows, self.entry)?;
        Ok(())
    }

    /// What is missing before the new statements, and before those that come after them.
    fn look_for_gaps<D: Db>(
        &self,
        db: &D,
        file: &File,
        last_statement: i64,
    ) -> Result<Vec<StatementWithGap>, Fault> {
        let mut accounts = BTreeMap::new();
        for at in &self.new {
            let of = file.intake.statements.get(*at).zip(self.own.get(*at));
            let Some(((of, _), own)) = of else { continue };
            let day = accounts.entry((own.as_str(), of.currency)).or_insert(of.to);
            *day = of.to.min(*day);
        }
        gaps::look(db, &accounts, last_statement)
    }

    /// Matches a slice of entries and records them with the payments that follow.
    fn slice<D: Db>(&mut self, db: &D, file: &File, slice: &str) -> Result<(), Fault> {
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
            let of = self.ids.get(at).ok_or_else(fault)?;
            let (statement, _) = file.intake.statements.get(at).ok_or_else(fault)?;
            let id: Id = format!("{of}-{number}").parse()?;
            let account = self.own.get(at).ok_or_else(fault)?;
            let Statement { currency, .. } = statement;
            let place = Place { account, currency: *currency, statement: at, format: file.format };
            let repeats = self.before.look(&id, &entry, place);
            let pays = entry.minor > 0 && !matches!(repeats, Some(Repeats::Surely(_)));
            rows.push(Row {
                id,
                statement: *self.keys.get(of).ok_or_else(fault)?,
                number: *number,
                currency: *currency,
                clues: if pays { self.known.clues(&entry) } else { Clues::default() },
                sight: Sight::default(),
                pays,
                repeats,
                minor: entry.minor,
                // A credit is worth what was instructed: the bank's fee is deducted from what it pays.
                entry: match entry.instructed_minor {
                    Some(minor) if pays => Entry { minor, ..entry },
                    _ => entry,
                },
            });
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut world = self.known.world(db, &mut rows, &self.taken, self.today)?;
        let mut verdicts = Vec::with_capacity(rows.len());
        for row in &rows {
            let taken = &mut self.taken;
            let verdict = match row.repeats {
                Some(Repeats::Surely(_)) => Verdict::already_booked(),
                _ => {
                    let Row { entry, clues, sight, currency, .. } = row;
                    matching::judge(entry, clues, sight, *currency, &mut world, taken)
                }
            };
            let count = match verdict.state {
                MatchState::Automatic => &mut self.counts.automatic,
                MatchState::Review => &mut self.counts.review,
                MatchState::AlreadyBooked => &mut self.counts.already_booked,
                _ => &mut self.counts.unmatched,
            };
            *count = count.saturating_add(1);
            verdicts.push(verdict);
        }
        let (mut entries, mut payments) = (Vec::with_capacity(rows.len()), Vec::new());
        let last = payment::last_key(db)?;
        let mut key = last;
        for (row, verdict) in rows.iter().zip(&verdicts) {
            let booked = row.payment(verdict, &world)?;
            key = key.saturating_add(i64::from(booked.is_some()));
            entries.push(row.stored(verdict, booked.as_ref().map(|_| key)));
            payments.extend(booked);
        }
        let wanted = u64::try_from(payments.len()).unwrap_or(u64::MAX);
        if payment::insert_booked(db, last, &payments, self.entry)? != wanted {
            let detail = "a payment has the id that one of an entry would have";
            return Err(Fault::refused(Refusal::DifferentContent, detail));
        }
        bank::insert_entries(db, &entries, RULE, self.entry)?;
        self.accepted = self.accepted.saturating_add(u64::try_from(entries.len()).unwrap_or(0));
        Ok(())
    }

    /// Books what takes back one earlier entry and no other, and lists the candidates of the rest. Whatever goes out with
    /// the end-to-end reference of a credit that was booked is somebody's to look at. Gives the customers whose payments
    /// went back.
    fn take_back<D: Db>(&mut self, db: &D, after: i64) -> Result<Vec<i64>, Fault> {
        let mut of: BTreeMap<i64, Vec<bank::TakingBack>> = BTreeMap::new();
        let mut wanted: BTreeMap<i64, u32> = BTreeMap::new();
        for found in bank::taking_back(db, after)? {
            if found.fits() {
                let times = wanted.entry(found.payment).or_default();
                *times = times.saturating_add(1);
            }
            of.entry(found.key).or_default().push(found);
        }
        let (mut reversals, mut customers) = (Vec::new(), BTreeSet::new());
        let mut settled: Vec<bank::Settled> = Vec::new();
        for (key, found) in &mut of {
            if found.iter().any(bank::TakingBack::fits) {
                found.retain(bank::TakingBack::fits);
            }
            let candidates: Vec<Candidate> = found
                .iter()
                .zip(1u32..=5)
                .map(|(of, number)| Candidate {
                    number,
                    customer_id: of.customer_id.clone(),
                    designation: None,
                    payment_id: Some(of.payment_id.clone()),
                    score: if of.fits() { Decimal::ONE } else { Decimal::new(50, 2) },
                    reasons: [
                        (true, MatchReason::ReversalOfEntry),
                        (found.len() > 1, MatchReason::Ambiguous),
                        (of.perhaps == 1, MatchReason::PerhapsBooked),
                    ]
                    .into_iter()
                    .filter_map(|(is, reason)| is.then_some(reason))
                    .collect(),
                })
                .collect();
            let candidates = crate::ledger::json(&candidates)?;
            let unmatched = found.iter().any(|of| of.state == MatchState::Unmatched);
            if unmatched {
                self.counts.unmatched = self.counts.unmatched.saturating_sub(1);
                self.counts.review = self.counts.review.saturating_add(1);
            }
            match found.as_slice() {
                [of] if of.fits()
                    && wanted.get(&of.payment) == Some(&1)
                    && of.booked_on <= self.today =>
                {
                    let kind = ReversalKind::Returned;
                    let bank::TakingBack { id, customer, payment, booked_on, minor, .. } = of;
                    let name = booked(id);
                    reversals.push((
                        name,
                        *customer,
                        *payment,
                        *booked_on,
                        kind,
                        *minor,
                        None::<&str>,
                    ));
                    customers.insert(of.customer);
                    let state = MatchState::Automatic;
                    let (customer, payment) = (Some(of.customer), Some(of.payment));
                    settled.push((*key, state, customer, payment, Some(candidates)));
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
                already_booked: (!self.before.named.is_empty()).then(|| self.before.named.clone()),
                gaps: (!self.gaps.is_empty()).then(|| self.gaps.clone()),
            }),
        }
    }
}

/// An entry with what it is found by.
pub(super) struct Row {
    pub id: Id,
    statement: i64,
    number: u64,
    pub currency: Currency,
    /// What was booked.
    pub minor: i64,
    pub entry: Entry,
    pub clues: Clues,
    pub sight: Sight,
    /// Money comes in that is not booked yet.
    pub pays: bool,
    pub repeats: Option<Repeats>,
}

impl Row {
    /// An entry that came before and waits.
    pub fn waiting(of: &bank::Waiting, known: &Known) -> Self {
        let bank::Waiting { id, currency, entry, repeats, .. } = of.clone();
        Self {
            id,
            statement: 0,
            number: 0,
            currency,
            clues: known.clues(&entry),
            sight: Sight::default(),
            pays: true,
            repeats: repeats.map(Repeats::Perhaps),
            minor: entry.minor,
            entry: Entry { minor: entry.instructed_minor.unwrap_or(entry.minor), ..entry },
        }
    }

    /// The id of the entry that it is or may be.
    fn repeats(&self) -> Option<&Id> {
        match self.repeats.as_ref()? {
            Repeats::Surely(first) | Repeats::Perhaps(first) => Some(first),
        }
    }

    /// What it is booked as.
    fn payment<'a>(
        &'a self,
        verdict: &'a Verdict,
        world: &World,
    ) -> Result<Option<payment::Booked<'a>>, Fault> {
        let Some((customer, designation)) = &verdict.booked else { return Ok(None) };
        let mut designation: Cow<'_, [(i64, i64)]> = designation.into();
        let fee = self.entry.minor.saturating_sub(self.minor);
        let deducted = (fee > 0).then(|| charge::deduct(designation.to_mut(), fee)).flatten();
        // Where no document can bear the fee, the money goes by the order of debts.
        if fee > 0 && deducted.is_none() {
            designation = Cow::default();
        }
        if !world.customers.contains_key(customer) {
            return Err(Fault::Db("a match names a customer that was not read".into()));
        }
        Ok(Some(payment::Booked {
            id: booked(&self.id),
            customer: *customer,
            received_on: self.entry.booked_on,
            minor: self.minor,
            currency: self.currency,
            designation,
            deduction: deducted.map(|document| (document, fee)),
        }))
    }

    /// The entry as it is kept, with the key of its payment.
    fn stored<'a>(&'a self, verdict: &'a Verdict, payment: Option<i64>) -> bank::NewEntry<'a> {
        bank::NewEntry {
            id: &self.id,
            statement: self.statement,
            number: i64::try_from(self.number).unwrap_or(i64::MAX),
            read: &self.entry,
            minor: self.minor,
            state: verdict.state,
            candidates: &verdict.candidates,
            customer: verdict.booked.as_ref().map(|(customer, _)| *customer),
            payment,
            repeats: self.repeats(),
        }
    }
}
