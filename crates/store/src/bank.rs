//! Tables `bank_statement` and `bank_entry`: statements of bank accounts and what their entries were taken for; and what
//! that is found by, `payer_account` and `match_key`.

use crate::{Db, Fault, erasure::ERASED};
use dunlin_domain::{
    Currency, Date, Id, Instant,
    contract::{
        bank::{BankMatch, BankStatement, MatchState},
        ingest::ImportResult,
    },
};
use serde::Serialize;
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

/// Forgets a file that was refused: nothing of it was stored.
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
    let before = db.int("SELECT coalesce(max(key), 0) FROM bank_statement", &[])?;
    let rows = crate::array(rows)?;
    let sql = include_str!("../sql/bank/insert_statements.sql");
    db.execute(sql, &[(&rows).into(), entry.into()])?;
    let found: Vec<(Id, i64)> = db.json(
        "SELECT json_group_array(json_array(id, key)) FROM bank_statement WHERE key > ?1",
        &[before.into()],
    )?;
    Ok(found.into_iter().collect())
}

/// Adds entries, rows as in `insert_entries.sql`.
pub fn insert_entries<D: Db>(
    db: &D,
    rows: &impl Serialize,
    rule: &str,
    entry: i64,
) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    let sql = include_str!("../sql/bank/insert_entries.sql");
    db.execute(sql, &[(&rows).into(), rule.into(), entry.into()])?;
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
        include_str!("../sql/bank/statements.sql"),
        &[after.into(), i64::from(limit).into(), only.map(Id::as_str).into()],
    )
}

/// Matches after a key, with their keys: all, those in a state, or one.
pub fn matches<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    state: Option<MatchState>,
    only: Option<&Id>,
) -> Result<Vec<(i64, BankMatch)>, Fault> {
    db.json(
        include_str!("../sql/bank/matches.sql"),
        &[
            after.into(),
            i64::from(limit).into(),
            state.map(MatchState::name).into(),
            only.map(Id::as_str).into(),
        ],
    )
}

/// What a match becomes: its key, state, customer, payment and candidates. What is `None` stays as it was.
pub type Settled = (i64, MatchState, Option<i64>, Option<i64>, Option<String>);

/// Brings matches to what they were decided to be.
pub fn settle<D: Db>(db: &D, rows: &[Settled], entry: i64) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(include_str!("../sql/bank/settle.sql"), &[(&rows).into(), entry.into()])?;
    Ok(())
}

/// An entry that takes money back, and one that it may take back.
pub type TakingBack = (i64, Id, Date, i64, i64, Id, i64, Id);

/// Of the entries after a key those that take back what came in before.
pub fn taking_back<D: Db>(db: &D, after: i64) -> Result<Vec<TakingBack>, Fault> {
    db.json(include_str!("../sql/bank/taking_back.sql"), &[after.into()])
}

/// The key of the entry that was added last.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM bank_entry", &[])
}

/// Learns that an account is a customer's. What is known already stays as it was learned.
pub fn teach<D: Db>(
    db: &D,
    account: &str,
    customer: i64,
    on: Date,
    entry: i64,
) -> Result<(), Fault> {
    let on = on.to_string();
    db.execute(
        "INSERT INTO payer_account (account, customer_key, taught_on, entry_key) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        &[account.into(), customer.into(), (&on).into(), entry.into()],
    )?;
    Ok(())
}

/// The most documents or customers of one number or name: more say nothing.
const MOST_FOUND: i64 = 11;

/// The most open claims of one customer that are looked at, in each currency.
const MOST_CLAIMS: i64 = 200;

/// Documents by number with whether it is the whole one, customers by account, customers by name.
pub type Found = (Vec<(String, Vec<(i64, u8)>)>, Vec<(String, i64)>, Vec<(String, Vec<i64>)>);

/// What is known by these numbers, accounts and names.
pub fn found<D: Db>(
    db: &D,
    numbers: &impl Serialize,
    accounts: &impl Serialize,
    names: &impl Serialize,
) -> Result<Found, Fault> {
    let (numbers, accounts, names) =
        (crate::array(numbers)?, crate::array(accounts)?, crate::array(names)?);
    db.json(
        include_str!("../sql/bank/found.sql"),
        &[(&numbers).into(), (&accounts).into(), (&names).into(), MOST_FOUND.into()],
    )
}

/// A claim: key, document's key and id, customer, currency, issued, due, amount, open, discount's share and days.
pub type ClaimRow =
    (i64, i64, Id, i64, Currency, Date, Date, i64, i64, Option<String>, Option<i64>);

/// Customers with id and name, and claims by due date.
pub type Owed = (Vec<(i64, Id, String)>, Vec<ClaimRow>);

/// What the customers of these documents and these customers owe.
pub fn owed<D: Db>(
    db: &D,
    documents: &impl Serialize,
    customers: &impl Serialize,
) -> Result<Owed, Fault> {
    let (documents, customers) = (crate::array(documents)?, crate::array(customers)?);
    db.json(
        include_str!("../sql/bank/owed.sql"),
        &[(&documents).into(), (&customers).into(), MOST_CLAIMS.into()],
    )
}

/// How far the numbers of documents, the names of customers and their changes were looked at.
pub fn progress<D: Db>(db: &D, noun: &str) -> Result<i64, Fault> {
    db.int("SELECT upto FROM match_progress WHERE noun = ?1", &[noun.into()])
}

/// Notes how far that has come.
pub fn progressed<D: Db>(db: &D, noun: &str, upto: i64) -> Result<(), Fault> {
    let sql = "UPDATE match_progress SET upto = ?2 WHERE noun = ?1";
    db.execute(sql, &[noun.into(), upto.into()])?;
    Ok(())
}

/// Claims after a key that are no parts of others, by key.
pub fn documents<D: Db>(db: &D, after: i64, limit: i64) -> Result<Vec<(i64, String)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(key, id)) FROM (
             SELECT key, id FROM invoice
             WHERE key > ?1 AND parent_key IS NULL AND kind <> 'credit-note' ORDER BY key LIMIT ?2)",
        &[after.into(), limit.into()],
    )
}

/// Names of customers after a key, by key.
pub fn names<D: Db>(db: &D, after: i64, limit: i64) -> Result<Vec<(i64, String)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(key, name)) FROM (
             SELECT key, name FROM customer WHERE key > ?1 ORDER BY key LIMIT ?2)",
        &[after.into(), limit.into()],
    )
}

/// Customers that an entry of the audit chain after a key names, with the names they have now.
pub fn renamed<D: Db>(db: &D, after: i64) -> Result<Vec<(i64, String)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(key, name)) FROM (
             SELECT DISTINCT c.key, c.name FROM audit AS a CROSS JOIN customer AS c ON c.id = a.id
             WHERE a.key > ?1 AND a.noun = 'customer')",
        &[after.into()],
    )
}

/// Adds what documents or customers are found by: rows of text, kind and key.
pub fn insert_keys<D: Db>(db: &D, rows: &[(String, &str, i64)]) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(
        "INSERT INTO match_key (text, kind, target_key)
         SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?1) AS j WHERE true ON CONFLICT DO NOTHING",
        &[(&rows).into()],
    )?;
    Ok(())
}

/// Takes away the names that these customers are found by.
pub fn delete_names<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    let customers = crate::array(customers)?;
    db.execute(
        "DELETE FROM match_key WHERE kind = 'name' AND target_key IN (SELECT value FROM json_each(?1))",
        &[(&customers).into()],
    )?;
    Ok(())
}

/// Takes what is personal about a customer out of its entries, and what it is found by; says whether anything was there.
pub fn erase<D: Db>(db: &D, customer: i64) -> Result<bool, Fault> {
    let sql = include_str!("../sql/bank/erase_entries.sql");
    let entries = db.execute(sql, &[customer.into(), ERASED.into()])?;
    let accounts = db.execute(
        "DELETE FROM payer_account WHERE customer_key = ?1 RETURNING account",
        &[customer.into()],
    )?;
    delete_names(db, &[customer])?;
    Ok(!entries.is_empty() || !accounts.is_empty())
}
