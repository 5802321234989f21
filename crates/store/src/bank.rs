//! Tables `bank_statement` and `bank_entry`: statements of bank accounts and what their entries were taken for.

use crate::{Db, Fault, Param, erasure::ERASED, matching};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    bank::Entry,
    contract::{
        bank::{BankFormat, BankMatch, BankStatement, Candidate, MatchState, StatementGap},
        ingest::ImportResult,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Notes that a file is being read, and gives the key of the note.
pub fn start<D: Db>(db: &D, id: &Id, at: Instant) -> Result<i64, Fault> {
    let at = at.to_string();
    let row = db.first(
        "INSERT INTO bank_import (id, started_at) VALUES (?1, ?2) RETURNING key",
        &[id.as_str().into(), (&at).into()],
    )?;
    row.ok_or_else(|| Fault::Db("an import got no key".into()))?.int(0)
}

/// Keeps a slice of entries until the file is whole.
pub fn stage<D: Db>(db: &D, import: i64, number: i64, entries: &str) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO bank_slice (import_key, slice, entries) VALUES (?1, ?2, ?3)",
        &[import.into(), number.into(), entries.into()],
    )?;
    Ok(())
}

/// The entries of a slice.
pub fn staged<D: Db>(db: &D, import: i64, number: i64) -> Result<String, Fault> {
    let row = db.first(
        "SELECT entries FROM bank_slice WHERE import_key = ?1 AND slice = ?2",
        &[import.into(), number.into()],
    )?;
    let gone = || Fault::Db(format!("slice {number} of a file of statements is gone"));
    Ok(row.ok_or_else(gone)?.text(0)?.to_string())
}

/// Notes what became of a file and drops its slices.
pub fn finish<D: Db>(db: &D, import: i64, result: &ImportResult, at: Instant) -> Result<(), Fault> {
    let (result, at) = (crate::array(result)?, at.to_string());
    db.execute("DELETE FROM bank_slice WHERE import_key = ?1", &[import.into()])?;
    db.execute(
        "UPDATE bank_import SET result = ?2, finished_at = ?3 WHERE key = ?1",
        &[import.into(), (&result).into(), (&at).into()],
    )?;
    Ok(())
}

/// Forgets a file of which nothing was stored.
pub fn forget<D: Db>(db: &D, import: i64) -> Result<(), Fault> {
    db.execute("DELETE FROM bank_slice WHERE import_key = ?1", &[import.into()])?;
    db.execute("DELETE FROM bank_import WHERE key = ?1", &[import.into()])?;
    Ok(())
}

/// Forgets files that began before this moment and never came to an end: their senders are gone.
pub fn forget_abandoned<D: Db>(db: &D, before: Instant) -> Result<(), Fault> {
    let before = before.to_string();
    for sql in [
        "DELETE FROM bank_slice WHERE import_key IN
             (SELECT key FROM bank_import WHERE result IS NULL AND started_at < ?1)",
        "DELETE FROM bank_import WHERE result IS NULL AND started_at < ?1",
    ] {
        db.execute(sql, &[(&before).into()])?;
    }
    Ok(())
}

/// What became of a file.
pub fn imported<D: Db>(db: &D, id: &Id) -> Result<Option<ImportResult>, Fault> {
    let sql = "SELECT result FROM bank_import WHERE id = ?1 AND result IS NOT NULL";
    db.first(sql, &[id.as_str().into()])?.map(|row| row.json(0)).transpose()
}

/// The digests of those of these statements that are there.
pub fn digests<D: Db>(db: &D, ids: &[&Id]) -> Result<BTreeMap<Id, String>, Fault> {
    let ids = crate::array(ids)?;
    let found: Vec<(Id, String)> = db.json(
        "SELECT json_group_array(json_array(s.id, s.digest))
         FROM json_each(?1) AS j CROSS JOIN bank_statement AS s ON s.id = j.value",
        &[(&ids).into()],
    )?;
    Ok(found.into_iter().collect())
}

/// Adds statements, rows as in `insert_statements.sql`, and gives the keys by id.
pub fn insert_statements<D: Db>(
    db: &D,
    rows: &impl Serialize,
    entry: i64,
) -> Result<BTreeMap<Id, i64>, Fault> {
    let before = last_statement(db)?;
    let rows = crate::array(rows)?;
    let sql = sql!("bank/insert_statements.sql");
    db.execute(sql, &[(&rows).into(), entry.into()])?;
    let found: Vec<(Id, i64)> = db.json(
        "SELECT json_group_array(json_array(id, key)) FROM bank_statement WHERE key > ?1",
        &[before.into()],
    )?;
    Ok(found.into_iter().collect())
}

/// A statement that may have entries of some days: account, currency, format, key, id, how many entries it has, its
/// number, and what it opens and closes with.
pub type Overlapping = (String, Currency, BankFormat, i64, Id, u64, Option<String>, i64, i64);

/// Statements up to a key that may have entries of these days, rows of account, first and last day.
pub fn overlapping<D: Db>(
    db: &D,
    spans: &impl Serialize,
    upto: i64,
) -> Result<Vec<Overlapping>, Fault> {
    let spans = crate::array(spans)?;
    db.json(sql!("bank/overlapping.sql"), &[(&spans).into(), upto.into()])
}

/// An entry: its statement's key and its id, days and amount, references, end-to-end and bank's reference, text, payer.
pub type EntryRow = (
    i64,
    Id,
    Date,
    Option<Date>,
    i64,
    Option<Vec<String>>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Entries of these days of these statements, keys and ids, that repeat no others.
pub fn entries_of<D: Db>(
    db: &D,
    statements: &impl Serialize,
    days: (Date, Date),
) -> Result<Vec<EntryRow>, Fault> {
    let (from, to) = (days.0.to_string(), days.1.to_string());
    let statements = crate::array(statements)?;
    let sql = sql!("bank/entries_of.sql");
    db.json(sql, &[(&statements).into(), (&from).into(), (&to).into()])
}

/// A statement in the order of its account: account, currency, key, and the rest as in [`dunlin_domain::bank::gap::Link`],
/// with the gap before it.
pub type ChainRow =
    (String, Currency, i64, Id, BankFormat, Date, i64, i64, Option<String>, Option<StatementGap>);

/// Statements of these accounts, rows of account, currency and day, from so many before the day on.
pub fn chain<D: Db>(db: &D, of: &impl Serialize, before: usize) -> Result<Vec<ChainRow>, Fault> {
    let (of, before) = (crate::array(of)?, i64::try_from(before).unwrap_or(i64::MAX));
    db.json(sql!("bank/chain.sql"), &[(&of).into(), before.into()])
}

/// Notes what is missing before statements: rows of key and gap.
pub fn note_gaps<D: Db>(db: &D, rows: &impl Serialize) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(
        "UPDATE bank_statement SET gap = j.value ->> 1 FROM json_each(?1) AS j WHERE bank_statement.key = j.value ->> 0",
        &[(&rows).into()],
    )?;
    Ok(())
}

/// Our accounts, each in one spelling.
pub fn own_accounts<D: Db>(db: &D) -> Result<Vec<String>, Fault> {
    db.json(sql!("bank/own_accounts.sql"), &[])
}

/// Has the statements of numbers be of the accounts that the numbers are: rows of number and account.
pub fn rename_own<D: Db>(db: &D, rows: &impl Serialize) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(
        "UPDATE bank_statement SET own_account = j.value ->> 1 FROM json_each(?1) AS j
         WHERE bank_statement.own_account = j.value ->> 0",
        &[(&rows).into()],
    )?;
    Ok(())
}

/// The key of the statement that was added last.
pub fn last_statement<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM bank_statement", &[])
}

/// An entry that is new, and what it was taken for.
#[derive(Debug)]
pub struct NewEntry<'a> {
    pub id: &'a Id,
    pub statement: i64,
    pub number: i64,
    pub read: &'a Entry,
    /// What was booked: of a credit with a fee inside it less than is read.
    pub minor: i64,
    pub state: MatchState,
    pub candidates: &'a [Candidate],
    pub customer: Option<i64>,
    pub payment: Option<i64>,
    pub repeats: Option<&'a Id>,
}

/// A new entry, with its values as [`insert_entries`] has them.
const NEW_ENTRY: &str = "INSERT INTO bank_entry
    (id, statement_key, number, booked_on, value_on, minor, reversal, reference, end_to_end, bank_reference, remittance,
     payer_name, payer_account, state, rule, candidates, customer_key, payment_key, entry_key, repeats,
     instructed_minor, ultimate_payer)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Adds entries.
pub fn insert_entries<D: Db>(
    db: &D,
    entries: &[NewEntry<'_>],
    rule: &str,
    entry: i64,
) -> Result<(), Fault> {
    let (mut days, mut lists) = (BTreeMap::new(), Vec::with_capacity(entries.len()));
    for of in entries {
        for day in [of.read.booked_on, of.read.value_on].into_iter().flatten() {
            days.entry(day).or_insert_with(|| day.to_string());
        }
        let references = of.read.references.as_slice();
        let references = (!references.is_empty()).then(|| crate::array(references)).transpose()?;
        lists.push((references, crate::array(of.candidates)?));
    }
    let day = |of: Option<Date>| of.and_then(|day| days.get(&day)).map(String::as_str).into();
    let mut values: Vec<Param<'_>> = Vec::with_capacity(entries.len().saturating_mul(22));
    for (of, (references, candidates)) in entries.iter().zip(&lists) {
        let read = of.read;
        let remittance = Some(read.remittance.as_str()).filter(|text| !text.is_empty());
        values.extend::<[Param<'_>; 22]>([
            of.id.as_str().into(),
            of.statement.into(),
            of.number.into(),
            day(read.booked_on),
            day(read.value_on),
            of.minor.into(),
            i64::from(read.reversal).into(),
            references.as_deref().into(),
            read.end_to_end.as_deref().into(),
            read.bank_reference.as_deref().into(),
            remittance.into(),
            read.name.as_deref().into(),
            read.account.as_deref().into(),
            of.state.name().into(),
            rule.into(),
            candidates.into(),
            of.customer.into(),
            of.payment.into(),
            entry.into(),
            of.repeats.map(Id::as_str).into(),
            read.instructed_minor.into(),
            read.ultimate.as_deref().into(),
        ]);
    }
    crate::insert_values(db, NEW_ENTRY, &values)
}

/// A credit that waits for somebody, and the candidates that it has, as JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct Waiting {
    pub key: i64,
    pub id: Id,
    pub currency: Currency,
    pub entry: Entry,
    pub repeats: Option<Id>,
    pub candidates: String,
}

/// The credits of a statement after a key that wait for somebody.
pub fn waiting<D: Db>(db: &D, id: &Id, after: i64, limit: u64) -> Result<Vec<Waiting>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.json(sql!("bank/waiting.sql"), &[id.as_str().into(), after.into(), limit.into()])
}

/// Has entries that wait have these candidates, rows of key and candidates as JSON. What they may be is no decision: the audit
/// chain has what somebody says that they are.
pub fn suggest<D: Db>(db: &D, rows: &[(i64, String)]) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(
        "UPDATE bank_entry SET candidates = j.value ->> 1 FROM json_each(?1) AS j WHERE bank_entry.key = j.value ->> 0",
        &[(&rows).into()],
    )?;
    Ok(())
}

/// Statements after a key, with their keys.
pub fn statements<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    only: Option<&Id>,
) -> Result<Vec<(i64, BankStatement)>, Fault> {
    db.json(
        sql!("bank/statements.sql"),
        &[after.into(), i64::from(limit).into(), only.map(Id::as_str).into()],
    )
}

/// Matches after a key, with their keys: all, those in a state, or one; or of them those alone that are booked and not for all
/// of what came.
pub fn matches<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    (state, unbooked): (Option<MatchState>, bool),
    only: Option<&Id>,
) -> Result<Vec<(i64, BankMatch)>, Fault> {
    db.json(
        sql!("bank/matches.sql"),
        &[
            after.into(),
            i64::from(limit).into(),
            state.map(MatchState::name).into(),
            only.map(Id::as_str).into(),
            i64::from(unbooked).into(),
        ],
    )
}

/// What a match becomes: its key, state, customer, payment and candidates. What is `None` stays as it was.
pub type Settled = (i64, MatchState, Option<i64>, Option<i64>, Option<String>);

/// Brings matches to what they were decided to be.
pub fn settle<D: Db>(db: &D, rows: &[Settled], entry: i64) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(sql!("bank/settle.sql"), &[(&rows).into(), entry.into()])?;
    Ok(())
}

/// How often the payment of a match was a mistake.
pub fn undone<D: Db>(db: &D, key: i64) -> Result<i64, Fault> {
    db.int("SELECT undone FROM bank_entry WHERE key = ?1", &[key.into()])
}

/// The match whose payment this is.
pub fn of_payment<D: Db>(db: &D, payment: &Id) -> Result<Option<Id>, Fault> {
    let row = db.first(sql!("bank/of_payment.sql"), &[payment.as_str().into()])?;
    row.map(|row| row.parse(0)).transpose()
}

/// An entry other than this one that was booked and is or may be a repetition of the first. Who repeats another is never
/// booked by the rule.
pub fn booked_repeat<D: Db>(db: &D, id: &Id, first: &Id) -> Result<Option<Id>, Fault> {
    let row = db.first(
        "SELECT e.id FROM bank_entry AS f CROSS JOIN bank_entry AS e ON e.state = 'confirmed' AND e.key > f.key
         WHERE f.id = ?2 AND e.state <> 'automatic' AND e.repeats = f.id AND e.id <> ?1
         ORDER BY e.key LIMIT 1",
        &[id.as_str().into(), first.as_str().into()],
    )?;
    row.map(|row| row.parse(0)).transpose()
}

/// Of these payments those whose entry was booked anew, with the payment that it is now and its customer.
pub fn booked_anew<D: Db>(db: &D, ids: &[&str]) -> Result<Vec<(Id, Id, Id)>, Fault> {
    let ids = crate::array(ids)?;
    db.json(sql!("bank/booked_anew.sql"), &[(&ids).into()])
}

/// The match whose reversal this is.
pub fn of_reversal<D: Db>(db: &D, reversal: &Id) -> Result<Option<Id>, Fault> {
    let row = db.first(sql!("bank/of_reversal.sql"), &[reversal.as_str().into()])?;
    row.map(|row| row.parse(0)).transpose()
}

/// What the bank kept of the credit that this payment was booked for.
pub fn fee<D: Db>(db: &D, payment: i64) -> Result<i64, Fault> {
    db.int(sql!("bank/fee.sql"), &[payment.into()])
}

/// The match that this payment was booked for and is not any more.
pub fn put_back<D: Db>(db: &D, payment: &Id) -> Result<Option<Id>, Fault> {
    let row = db.first(sql!("bank/put_back.sql"), &[payment.as_str().into()])?;
    row.map(|row| row.parse(0)).transpose()
}

/// Has a match looked at again: it has no payment any more.
pub fn reopen<D: Db>(db: &D, key: i64, entry: i64) -> Result<(), Fault> {
    db.execute(
        "UPDATE bank_entry
         SET state = 'review', customer_key = NULL, payment_key = NULL, undone = undone + 1, decided_entry_key = ?2
         WHERE key = ?1",
        &[key.into(), entry.into()],
    )?;
    Ok(())
}

/// An entry that takes money back, and the payment of one that it may take back.
#[derive(Clone, Debug, Deserialize)]
pub struct TakingBack {
    pub key: i64,
    pub id: Id,
    pub booked_on: Date,
    /// How much goes back.
    pub minor: i64,
    pub state: MatchState,
    pub payment: i64,
    pub payment_id: Id,
    pub customer: i64,
    pub customer_id: Id,
    /// The bank marks it, and amount and payer's account are those of the payment, of which nothing went back yet.
    pub fits: i64,
    /// As much of the payment went back another way about that day.
    pub perhaps: i64,
}

impl TakingBack {
    /// Whether it is certain if no other is.
    pub fn fits(&self) -> bool {
        self.fits == 1
    }
}

/// Of the entries after a key those that take back what came in before.
pub fn taking_back<D: Db>(db: &D, after: i64) -> Result<Vec<TakingBack>, Fault> {
    db.json(sql!("bank/taking_back.sql"), &[after.into()])
}

/// The key of the entry that was added last.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM bank_entry", &[])
}

/// Takes what is personal about a customer out of its entries, and what it is found by; says whether anything was there.
pub fn erase<D: Db>(db: &D, customer: i64) -> Result<bool, Fault> {
    let sql = sql!("bank/erase_entries.sql");
    let entries = db.execute(sql, &[customer.into(), ERASED.into()])?;
    let accounts = matching::forget_payer(db, customer)?;
    matching::delete_names(db, &[customer])?;
    Ok(!entries.is_empty() || accounts)
}
