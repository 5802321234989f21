//! Table `invoice`: what was claimed, and for a credit note what was taken off.

use crate::{Db, Fault, Param, When, clause, correction, dispute, matching};
use dunlin_domain::arrange::arrange;
use dunlin_domain::{
    Currency, Date, Id,
    contract::{
        ledger::PaymentTerms,
        types::{InvoiceKind, NewInvoice},
    },
};
use std::collections::BTreeMap;

/// Where a page of invoices ended.
pub type After = (String, i64);

/// A document as it is stored, with what it has from its contract.
#[derive(Clone, Debug)]
pub struct Item {
    pub key: i64,
    pub id: Id,
    pub customer_key: i64,
    pub customer_id: Id,
    pub kind: InvoiceKind,
    pub issued_on: Date,
    pub due_on: Date,
    /// Zero for an invoice with instalments: they have the amounts.
    pub amount_minor: i64,
    pub currency: Currency,
    pub contract_id: Option<Id>,
    /// The day on which the version of its contract was signed.
    pub signed_on: Option<Date>,
    pub version_key: Option<i64>,
    pub relates_to: Option<Id>,
    /// The reference that is printed on it.
    pub reference: Option<String>,
    /// The invoice it is an instalment of.
    pub parent_key: Option<i64>,
    /// Whether a fee is a penalty.
    pub penalty: bool,
}

/// A document that something names: id, key, customer, kind, currency, day of issue.
pub type Named = (Id, i64, i64, InvoiceKind, Currency, Date);

/// What of a document that is stored another with its id is compared with: due date, contract, version, instalments.
pub type Before = (Date, Option<Id>, Option<i64>, Vec<(Date, i64)>);

/// A document that another is about: key, customer, kind, currency.
pub type About = (i64, i64, InvoiceKind, Currency);

/// A version of a contract in force: key, customer, when invoices under it are due.
pub type Agreed = (i64, i64, Option<PaymentTerms>);

/// What the books have beside a document: its customer, itself, what it is about, its contract.
pub type Beside = (Option<i64>, Option<Before>, Option<About>, Option<Agreed>);

type ItemRow = (
    (i64, Id, i64, Id, InvoiceKind, Date, Date, i64, Currency),
    (Option<Id>, Option<Date>, Option<i64>, Option<Id>, Option<i64>, i64, Option<String>),
);

/// Adds the rows whose id is new and whose customer is there, and says how many were.
pub fn insert_all<D: Db>(db: &D, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    insert(db, sql!("invoice/insert_all.sql"), rows, entry)
}

/// The same for rows that say nothing of contracts, other documents, instalments or penalties.
pub fn insert_plain<D: Db>(db: &D, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    insert(db, sql!("invoice/insert_plain.sql"), rows, entry)
}

fn insert<D: Db>(db: &D, sql: &str, rows: &str, entry: Option<i64>) -> Result<u64, Fault> {
    let before = last_key(db)?;
    db.execute(sql, &[rows.into(), entry.into()])?;
    let added = crate::added(before, last_key(db)?);
    if added > 0 {
        dispute::open_whole(db, before, entry)?;
    }
    Ok(added)
}

/// Gives documents that are there without a reference that of their rows, has the next statement of a bank look for it,
/// and says whether there were any.
pub fn adopt_references<D: Db>(db: &D, rows: &str) -> Result<bool, Fault> {
    let found = db.execute(
        "UPDATE invoice SET reference = j.value ->> 13 FROM json_each(?1) AS j
         WHERE invoice.id = j.value ->> 1 AND invoice.reference IS NULL AND invoice.parent_key IS NULL
             AND j.value ->> 13 IS NOT NULL
         RETURNING key",
        &[rows.into()],
    )?;
    let keys = found.iter().map(|row| row.int(0)).collect::<Result<Vec<i64>, _>>()?;
    matching::look_again(db, &keys)?;
    Ok(!keys.is_empty())
}

/// The rows whose id is stored with other content, and the field that differs.
pub fn differing<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String)>, Fault> {
    db.json(sql!("invoice/differing.sql"), &[rows.into()])
}

/// What the books have beside each of these documents, in the same order.
pub fn beside<'a, D: Db>(
    db: &D,
    documents: impl Iterator<Item = (&'a Id, &'a NewInvoice)>,
) -> Result<Vec<Beside>, Fault> {
    let asked = documents
        .map(|(id, of)| (id, &of.customer_id, &of.relates_to, &of.contract_id, of.issued_on));
    let asked = crate::array(&asked.collect::<Vec<_>>())?;
    db.json(sql!("invoice/beside.sql"), &[(&asked).into()])
}

/// The rows whose instalments cannot have their names, with the name that is taken, and those that stand twice with
/// other instalments, without. Rows are those of `unnameable.sql`.
pub fn unnameable<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, Option<Id>)>, Fault> {
    db.json(sql!("invoice/unnameable.sql"), &[rows.into()])
}

/// The key of the invoice that was added last. Keys only grow: nothing is deleted.
pub fn last_key<D: Db>(db: &D) -> Result<i64, Fault> {
    db.int("SELECT coalesce(max(key), 0) FROM invoice", &[])
}

/// The documents of these ids that are there.
pub fn named<D: Db>(db: &D, ids: &[&str]) -> Result<Vec<Named>, Fault> {
    let ids = crate::array(ids)?;
    db.json(
        "SELECT json_group_array(json_array(i.id, i.key, i.customer_key, i.kind, i.currency, i.issued_on))
         FROM json_each(?1) AS j CROSS JOIN invoice AS i ON i.id = j.value",
        &[(&ids).into()],
    )
}

/// The keys behind these ids, in the same order.
pub fn keys<D: Db>(db: &D, ids: &[&str]) -> Result<Vec<Option<i64>>, Fault> {
    let ids = crate::array(ids)?;
    db.json(
        "SELECT json_group_array(i.key) FROM json_each(?1) AS j LEFT JOIN invoice AS i ON i.id = j.value",
        &[(&ids).into()],
    )
}

/// Of each of these documents 1 where something is open of it, or it is a credit note that is worth anything.
pub fn open_among<D: Db>(db: &D, ids: &[&str]) -> Result<Vec<i64>, Fault> {
    let ids = crate::array(ids)?;
    db.json(sql!("invoice/open_among.sql"), &[(&ids).into()])
}

/// The rows of a slice that say of a document that it is to be void here, where something is open of it: the row, the field
/// in which the document is another than the row says, or nothing, and the document.
pub fn voidable<D: Db>(db: &D, rows: &str) -> Result<Vec<(u64, String, Id)>, Fault> {
    db.json(sql!("invoice/voidable.sql"), &[rows.into()])
}

/// The rows, as in `insert_all.sql`, whose documents are void.
pub fn void_among<D: Db>(db: &D, rows: &str) -> Result<Vec<u64>, Fault> {
    db.json(sql!("invoice/void_among.sql"), &[rows.into()])
}

/// The document of this id.
pub fn find<D: Db>(db: &D, id: &str) -> Result<Option<Named>, Fault> {
    Ok(named(db, &[id])?.pop())
}

/// What money for a document can pay by now: what is open of it, and what was written off.
pub fn payable_now<D: Db>(db: &D, key: i64) -> Result<i64, Fault> {
    db.int(sql!("invoice/payable_now.sql"), &[key.into()])
}

/// These documents and their instalments as they were known with an audit entry, by key.
pub fn items<D: Db>(db: &D, keys: &[i64], known: i64) -> Result<Vec<Item>, Fault> {
    let text = crate::array(keys)?;
    let rows: Vec<ItemRow> = db.json(sql!("invoice/items.sql"), &[(&text).into(), known.into()])?;
    let mut items: Vec<Item> = rows.into_iter().map(item).collect();
    let keys: Vec<i64> = items.iter().map(|item| item.key).collect();
    let mut before = correction::of_invoices(db, &keys, known)?;
    let versions: Vec<i64> = before.values().filter_map(|before| before.version_key).collect();
    let agreed = match versions.is_empty() {
        true => BTreeMap::new(),
        false => clause::agreed(db, &versions)?,
    };
    for item in &mut items {
        if let Some(before) = before.remove(&item.key) {
            item.issued_on = before.issued_on.unwrap_or(item.issued_on);
            item.due_on = before.due_on.unwrap_or(item.due_on);
            item.amount_minor = before.amount_minor.unwrap_or(item.amount_minor);
            item.penalty = before.penalty.unwrap_or(item.penalty);
            if let Some(version) = before.version_key {
                item.version_key = Some(version).filter(|key| *key != 0);
                let then = agreed.get(&version).cloned();
                item.signed_on = then.as_ref().and_then(|(_, signed_on)| *signed_on);
                item.contract_id = then.map(|(contract, _)| contract);
            }
            if let Some(about) = before.relates_to {
                item.relates_to = if about.is_empty() { None } else { Some(about.parse()?) };
            }
        }
    }
    arrange(&mut items, |one, other| one.key.cmp(&other.key));
    Ok(items)
}

fn item(row: ItemRow) -> Item {
    let (
        (key, id, customer_key, customer_id, kind, issued_on, due_on, amount_minor, currency),
        more,
    ) = row;
    let (contract_id, signed_on, version_key, relates_to, parent_key, penalty, reference) = more;
    Item {
        key,
        id,
        customer_key,
        customer_id,
        kind,
        issued_on,
        due_on,
        amount_minor,
        currency,
        contract_id,
        signed_on,
        version_key,
        relates_to,
        reference,
        parent_key,
        penalty: penalty != 0,
    }
}

/// The customer's documents in the order of their due dates, as far as they were issued by the day and known: due date and key,
/// which is also where a page would go on.
pub fn page<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    when: When,
) -> Result<Vec<(Date, i64)>, Fault> {
    let text = when.day.to_string();
    let params: [Param<'_>; 6] = [
        (&after.0).into(),
        after.1.into(),
        i64::from(limit).into(),
        (&text).into(),
        customer.as_str().into(),
        when.known.into(),
    ];
    // Only the dates as they read now have an index.
    let [now @ .., _] = &params;
    match when.knows_all() {
        true => db.json(sql!("invoice/page_keys.sql"), now),
        false => db.json(sql!("invoice/page_known.sql"), &params),
    }
}

/// Has a document be about another, or be a penalty.
pub fn relate<D: Db>(db: &D, key: i64, about: Option<&Id>, penalty: bool) -> Result<(), Fault> {
    db.execute(
        "UPDATE invoice SET relates_key = (SELECT key FROM invoice WHERE id = ?2), penalty = ?3 WHERE key = ?1",
        &[key.into(), about.map(Id::as_str).into(), i64::from(penalty).into()],
    )?;
    Ok(())
}

/// Has a document and its instalments be under a version of a contract.
pub fn agree<D: Db>(db: &D, key: i64, version: i64) -> Result<(), Fault> {
    db.execute(
        "UPDATE invoice SET version_key = ?2 WHERE key = ?1 OR parent_key = ?1",
        &[key.into(), version.into()],
    )?;
    Ok(())
}

/// Whether a document is another or is, step by step, about it.
pub fn leads_to<D: Db>(db: &D, from: i64, to: i64) -> Result<bool, Fault> {
    let sql = "WITH RECURSIVE way (key) AS (
                   SELECT ?1 UNION SELECT i.relates_key FROM way CROSS JOIN invoice AS i ON i.key = way.key
               )
               SELECT EXISTS (SELECT 1 FROM way WHERE key = ?2)";
    Ok(db.int(sql, &[from.into(), to.into()])? == 1)
}

/// Gives a document other dates or another amount, and says how much too much was taken off what is open so that it
/// stays between zero and the amount until the replay puts it right.
pub fn correct<D: Db>(
    db: &D,
    key: i64,
    issued_on: Date,
    due_on: Date,
    amount_minor: i64,
) -> Result<i64, Fault> {
    let row =
        db.first("SELECT amount_minor, open_minor FROM invoice WHERE key = ?1", &[key.into()])?;
    let row = row.ok_or_else(|| Fault::Db("a corrected invoice is gone".into()))?;
    let (before, open) = (row.int(0)?, row.int(1)?);
    let exact = open.saturating_add(amount_minor.saturating_sub(before));
    let held = exact.clamp(0, amount_minor);
    let (issued_on, due_on) = (issued_on.to_string(), due_on.to_string());
    db.execute(
        "UPDATE invoice SET issued_on = ?2, due_on = ?3, amount_minor = ?4, open_minor = ?5,
             disputed_minor = min(disputed_minor, ?4)
         WHERE key = ?1",
        &[key.into(), (&issued_on).into(), (&due_on).into(), amount_minor.into(), held.into()],
    )?;
    Ok(held.saturating_sub(exact))
}

/// The keys of all documents of a customer, without the instalments of others.
pub fn keys_of<D: Db>(db: &D, customer: i64) -> Result<Vec<i64>, Fault> {
    db.json(
        "SELECT json_group_array(key) FROM invoice WHERE customer_key = ?1 AND parent_key IS NULL",
        &[customer.into()],
    )
}
