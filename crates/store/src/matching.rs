//! What the entries of bank statements are matched by: tables `match_key` and `match_mask`, which follow documents and
//! customers, `payer_account`, which confirmations teach, and what is owed.

use crate::{Db, Fault, Param};
use dunlin_domain::{Currency, Date, Id, contract::bank::PayerAccount};
use serde::Serialize;

/// Learns that an account is a customer's, by a match that was confirmed. What is known already stays as it was learned.
/// What is learned of several customers tells nothing of any.
pub fn teach<D: Db>(
    db: &D,
    by: &Id,
    account: &str,
    customer: i64,
    on: Date,
    entry: i64,
) -> Result<(), Fault> {
    let on = on.to_string();
    db.execute(
        "INSERT INTO payer_account (id, account, customer_key, taught_on, entry_key) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        &[by.as_str().into(), account.into(), customer.into(), (&on).into(), entry.into()],
    )?;
    Ok(())
}

/// Whether an account was taught as another customer's.
pub fn taught_otherwise<D: Db>(db: &D, account: &str, customer: i64) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (
             SELECT 1 FROM payer_account AS a CROSS JOIN customer AS c ON c.key = a.customer_key
             WHERE a.account = ?1 AND coalesce(c.merged_key, c.key) <> ?2)";
    Ok(db.int(sql, &[account.into(), customer.into()])? == 1)
}

/// Accounts that were taught, after a key, with their keys and their customers': all, or one.
pub fn taught<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    only: Option<&Id>,
) -> Result<Vec<(i64, i64, PayerAccount)>, Fault> {
    db.json(
        sql!("bank/taught.sql"),
        &[after.into(), i64::from(limit).into(), only.map(Id::as_str).into()],
    )
}

/// Forgets an account that was taught.
pub fn unteach<D: Db>(db: &D, id: &Id) -> Result<(), Fault> {
    db.execute("DELETE FROM payer_account WHERE id = ?1", &[id.as_str().into()])?;
    Ok(())
}

/// Forgets the accounts of a customer, and says whether there were any.
pub fn forget_payer<D: Db>(db: &D, customer: i64) -> Result<bool, Fault> {
    let sql = "DELETE FROM payer_account WHERE customer_key = ?1 RETURNING account";
    Ok(!db.execute(sql, &[customer.into()])?.is_empty())
}

/// The most documents or customers of one number or name: more say nothing.
const MOST_FOUND: i64 = 11;

/// The most open claims of one customer that are looked at, in each currency.
const MOST_CLAIMS: i64 = 200;

/// Documents by number with whether it is the whole one, customers by account with whether it is in their record,
/// customers by name.
pub type Found = (Vec<(String, Vec<(i64, u8)>)>, Vec<(String, i64, u8)>, Vec<(String, Vec<i64>)>);

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
        sql!("bank/found.sql"),
        &[(&numbers).into(), (&accounts).into(), (&names).into(), MOST_FOUND.into()],
    )
}

/// A claim: key, document's key and id, customer, currency, issued, due, amount, open, discount's share and days, written
/// off, whether it is void.
pub type ClaimRow =
    (i64, i64, Id, i64, Currency, Date, Date, i64, i64, Option<String>, Option<i64>, i64, u8);

/// Customers with id and name, and claims by due date.
pub type Owed = (Vec<(i64, Id, String)>, Vec<ClaimRow>);

/// The claims of these documents, whether they are open or not, and their customers and these.
pub fn named<D: Db>(
    db: &D,
    documents: &impl Serialize,
    customers: &impl Serialize,
) -> Result<Owed, Fault> {
    let (documents, customers) = (crate::array(documents)?, crate::array(customers)?);
    let sql = sql!("bank/named.sql");
    db.json(sql, &[(&documents).into(), (&customers).into()])
}

/// A payment that came another way than by a statement: customer, currency, amount, day, id.
pub type Elsewhere = (i64, Currency, i64, Date, Id);

/// Payments that are of no entry of a statement: by customer, days and amount, or by id. Parameters as in
/// `paid_elsewhere.sql`.
pub fn paid_elsewhere<D: Db>(
    db: &D,
    of: &impl Serialize,
    amounts: &impl Serialize,
    ids: &impl Serialize,
    upto: i64,
) -> Result<Vec<Elsewhere>, Fault> {
    let (of, amounts, ids) = (crate::array(of)?, crate::array(amounts)?, crate::array(ids)?);
    let params = [(&of).into(), (&amounts).into(), (&ids).into(), upto.into()];
    db.json(sql!("bank/paid_elsewhere.sql"), &params)
}

/// What these customers owe: the oldest open claims of each.
pub fn owed<D: Db>(db: &D, customers: &impl Serialize) -> Result<Vec<ClaimRow>, Fault> {
    let customers = crate::array(customers)?;
    let sql = sql!("bank/owed.sql");
    db.json(sql, &[(&customers).into(), MOST_CLAIMS.into()])
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

/// Claims after a key that are no parts of others, by key, with the references that are printed on them.
pub fn documents<D: Db>(
    db: &D,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, String, Option<String>)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(key, id, reference)) FROM (
             SELECT key, id, reference FROM invoice
             WHERE key > ?1 AND parent_key IS NULL AND kind <> 'credit-note' ORDER BY key LIMIT ?2)",
        &[after.into(), limit.into()],
    )
}

/// Has documents that were looked at be looked at again.
pub fn look_again<D: Db>(db: &D, keys: &[i64]) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys = crate::array(keys)?;
    db.execute(
        "INSERT INTO match_again (document_key)
         SELECT j.value FROM json_each(?1) AS j
         WHERE j.value <= (SELECT upto FROM match_progress WHERE noun = 'invoice') ON CONFLICT DO NOTHING",
        &[(&keys).into()],
    )?;
    Ok(())
}

/// Documents that are to be looked at again, by key, with the references that are printed on them.
pub fn documents_again<D: Db>(
    db: &D,
    limit: i64,
) -> Result<Vec<(i64, String, Option<String>)>, Fault> {
    db.json(
        "SELECT json_group_array(json_array(key, id, reference)) FROM (
             SELECT i.key, i.id, i.reference
             FROM match_again AS m CROSS JOIN invoice AS i ON i.key = m.document_key
             ORDER BY m.document_key LIMIT ?1)",
        &[limit.into()],
    )
}

/// Notes that the documents up to a key were looked at again.
pub fn looked_again<D: Db>(db: &D, last: i64) -> Result<(), Fault> {
    db.execute("DELETE FROM match_again WHERE document_key <= ?1", &[last.into()])?;
    Ok(())
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

/// Adds what documents or customers are found by: rows of text, kind and key. In the order of the texts, which the
/// table is in too.
pub fn insert_keys<D: Db>(db: &D, rows: &mut [(String, &str, i64)]) -> Result<(), Fault> {
    rows.sort_unstable();
    let values: Vec<Param<'_>> = rows
        .iter()
        .flat_map(|(text, kind, key)| [text.into(), (*kind).into(), (*key).into()])
        .collect();
    let one =
        "INSERT INTO match_key (text, kind, target_key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    crate::insert_values(db, one, &values)
}

/// The most masks that tell anything.
const MOST_MASKS: i64 = 2_000;

/// Adds masks of numbers, each with whether it is of whole ones.
pub fn insert_masks<D: Db>(db: &D, masks: &impl Serialize) -> Result<(), Fault> {
    let masks = crate::array(masks)?;
    db.execute(
        "INSERT INTO match_mask (mask, whole)
         SELECT j.value ->> 0, j.value ->> 1 FROM json_each(?1) AS j WHERE true ON CONFLICT DO NOTHING",
        &[(&masks).into()],
    )?;
    Ok(())
}

/// The masks of all numbers. `None` when there are too many.
pub fn masks<D: Db>(db: &D) -> Result<Option<Vec<(String, bool)>>, Fault> {
    let most = MOST_MASKS.saturating_add(1);
    let found: Vec<(String, u8)> = db.json(
        "SELECT json_group_array(json_array(mask, whole)) FROM (SELECT mask, whole FROM match_mask LIMIT ?1)",
        &[most.into()],
    )?;
    let few = i64::try_from(found.len()).is_ok_and(|count| count < most);
    Ok(few.then(|| found.into_iter().map(|(mask, whole)| (mask, whole == 1)).collect()))
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
