//! Table `interest_entry`: interest that was claimed by a note, or given up. What a note claims today its document says;
//! the row here is the evidence of what it claimed when it was made. And what other documents charge for a document.

use crate::{
    Db, Fault, Param, When,
    invoice::{self, Item},
};
use dunlin_domain::arrange::arrange;
use dunlin_domain::{
    Currency, Date, Id,
    contract::types::{InterestEntry, InvoiceKind},
    money,
};
use std::collections::{BTreeMap, BTreeSet};

/// The document whose interest is asked for.
#[derive(Clone, Debug)]
pub struct Document {
    pub key: i64,
    pub id: Id,
    pub customer_key: i64,
    pub customer_id: Id,
    pub currency: Currency,
    /// Whether it is an instalment: notes, waivers and fixed sums stand with its invoice.
    pub is_part: bool,
    /// The claims of the whole document: its instalments, else itself. None but an invoice has any.
    pub claims: Vec<i64>,
}

/// Ids after one of documents whose interest was claimed or given up, everybody's or one customer's.
pub fn settled_after<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
) -> Result<Vec<Id>, Fault> {
    db.json(
        sql!("interest_entry/settled_after.sql"),
        &[after.into(), i64::from(limit).into(), customer.map(Id::as_str).into()],
    )
}

/// A note or waiver to record.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub id: &'a str,
    pub customer_key: i64,
    pub invoice_key: i64,
    pub note_key: Option<i64>,
    pub booked_on: Date,
    pub minor: i64,
    pub reason: Option<&'a str>,
    pub entry_key: i64,
}

/// A waiver as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    pub invoice_id: Id,
    pub on: Date,
    pub minor: i64,
    pub currency: Currency,
    pub reason: String,
}

/// A document that an interest note's id may already stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub key: i64,
    pub kind: InvoiceKind,
    pub about: Option<Id>,
    pub issued_on: Date,
    pub due_on: Date,
}

/// The document with this id.
pub fn document<D: Db>(db: &D, id: &Id) -> Result<Option<Document>, Fault> {
    let row = db.first("SELECT key FROM invoice WHERE id = ?1", &[id.as_str().into()])?;
    let Some(row) = row else { return Ok(None) };
    Ok(documents(db, &[row.int(0)?])?.into_iter().next())
}

/// The documents with these keys, in their order.
pub fn documents<D: Db>(db: &D, keys: &[i64]) -> Result<Vec<Document>, Fault> {
    type Found = (i64, Id, i64, Id, Currency, Option<i64>, Vec<i64>);
    let keys = crate::array(keys)?;
    let found: Vec<Found> = db.json(
        "SELECT json_group_array(json_array(i.key, i.id, i.customer_key, c.id, i.currency, i.parent_key, json((
             SELECT json_group_array(p.key ORDER BY p.key) FROM invoice AS p
             WHERE
                 i.kind = 'invoice'
                 AND (p.parent_key = coalesce(i.parent_key, i.key) OR p.key = coalesce(i.parent_key, i.key))
         ))) ORDER BY j.key)
         FROM json_each(?1) AS j
         CROSS JOIN invoice AS i ON i.key = j.value
         CROSS JOIN customer AS c ON c.key = i.customer_key",
        &[(&keys).into()],
    )?;
    let document = |(key, id, customer_key, customer_id, currency, parent, claims): Found| {
        Document { key, id, customer_key, customer_id, currency, is_part: parent.is_some(), claims }
    };
    Ok(found.into_iter().map(document).collect())
}

/// Keys after one of invoices that may bear interest by a day, everybody's or one customer's: those with a clause of
/// which something was open after its due date.
pub fn late_after<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    customer: Option<i64>,
    when: When,
    policy_has_clause: bool,
) -> Result<Vec<i64>, Fault> {
    let day = when.day.to_string();
    let mut params: Vec<Param<'_>> = vec![
        after.into(),
        i64::from(limit).into(),
        (&day).into(),
        when.known.into(),
        i64::from(policy_has_clause).into(),
        i64::from(when.knows_all()).into(),
    ];
    match customer {
        None => db.json(sql!("interest_entry/late_after.sql"), &params),
        Some(customer) => {
            params.push(customer.into());
            db.json(sql!("interest_entry/late_of_customer.sql"), &params)
        }
    }
}

/// What other documents charge for some claims: those that are about them, and about each other, as they read with an
/// audit entry.
#[derive(Debug, Default)]
pub struct Charging {
    /// The claims that anything is about.
    claims: BTreeMap<i64, Id>,
    /// The documents by what they are about.
    about: BTreeMap<Id, Vec<Item>>,
    /// What was taken off each of them but by credit notes: day, how much by upheld disputes, how much in all.
    taken: BTreeMap<i64, Vec<(Date, i64, i64)>>,
}

impl Charging {
    /// What is about these claims, however far away.
    pub fn of<D: Db>(db: &D, claims: &[i64], known: i64) -> Result<Self, Fault> {
        let keys = crate::array(claims)?;
        let found: Vec<(i64, Id, i64)> =
            db.json(sql!("interest_entry/about.sql"), &[(&keys).into()])?;
        if found.is_empty() {
            return Ok(Self::default());
        }
        let mut charging = Self::default();
        let mut documents: Vec<i64> = Vec::with_capacity(found.len());
        for (claim, id, document) in found {
            charging.claims.insert(claim, id);
            documents.push(document);
        }
        arrange(&mut documents, Ord::cmp);
        documents.dedup();
        for item in invoice::items(db, &documents, known)? {
            if let Some(about) = item.relates_to.clone() {
                charging.about.entry(about).or_default().push(item);
            }
        }
        let documents = crate::array(&documents)?;
        let taken: Vec<(i64, Date, i64, i64)> =
            db.json(sql!("interest_entry/taken.sql"), &[(&documents).into(), known.into()])?;
        for (document, on, upheld, minor) in taken {
            charging.taken.entry(document).or_default().push((on, upheld, minor));
        }
        Ok(charging)
    }

    /// The interest notes of a day or before about these claims together, oldest first, with what each claims of the
    /// interest: less the credit notes about it. What was disputed of one with success was claimed all the same.
    pub fn notes(&self, claims: &[i64], day: Date) -> Vec<InterestEntry> {
        let notes = self.ids(claims).flat_map(|(_, id)| self.notes_of(id));
        let notes = notes.filter(|note| note.issued_on <= day).map(|note| InterestEntry {
            id: note.id.clone(),
            on: note.issued_on,
            minor: self.credited(note, day),
            reason: None,
            recorded_at: None,
        });
        let mut notes: Vec<InterestEntry> = notes.collect();
        arrange(&mut notes, |one, other| (one.on, &one.id).cmp(&(other.on, &other.id)));
        notes
    }

    /// What is charged for each of these claims by a day beside its interest: fees, whatever is about these, and what is about
    /// interest notes, each less the credit notes about it and what upheld disputes took off it.
    pub fn fees(&self, claims: &[i64], day: Date) -> Result<BTreeMap<i64, i64>, Fault> {
        let fee = |fee: &Item| {
            let taken = self.taken_off(fee).iter().filter(|(on, ..)| *on <= day);
            let upheld = taken.fold(0i64, |sum, (_, minor, _)| sum.saturating_add(*minor));
            self.credited(fee, day).saturating_sub(upheld).max(0)
        };
        let charged = |about: &Id| {
            let mut sum = 0i64;
            let mut seen = BTreeSet::new();
            let mut waiting: Vec<(&Item, bool)> =
                self.of_id(about).iter().map(|item| (item, true)).collect();
            while let Some((item, direct)) = waiting.pop() {
                if item.kind == InvoiceKind::CreditNote || !seen.insert(item.key) {
                    continue;
                }
                if !direct || item.kind == InvoiceKind::Fee {
                    sum = money::sum([sum, fee(item)])?;
                }
                waiting.extend(self.of_id(&item.id).iter().map(|item| (item, false)));
            }
            Ok::<i64, Fault>(sum)
        };
        self.ids(claims).map(|(claim, id)| Ok((claim, charged(id)?))).collect()
    }

    /// What was paid of the interest of these claims together, day by day.
    pub fn settled(&self, claims: &[i64]) -> Vec<(Date, i64)> {
        self.settled_by_claim(claims).into_values().flatten().collect()
    }

    /// What was paid of the interest of each of these claims, day by day: what was taken off the interest notes about it, as far as
    /// they claimed it by then.
    pub fn settled_by_claim(&self, claims: &[i64]) -> BTreeMap<i64, Vec<(Date, i64)>> {
        let of_note = |note: &Item| {
            let taken = || self.taken_off(note).iter();
            let mut days: Vec<Date> = taken().map(|(on, ..)| *on).collect();
            days.extend(self.of_id(&note.id).iter().map(|of| of.issued_on));
            arrange(&mut days, Ord::cmp);
            days.dedup();
            let mut before = 0i64;
            let mut steps = Vec::with_capacity(days.len());
            for day in days {
                let paid = taken().filter(|(on, ..)| *on <= day);
                let paid = paid.fold(0i64, |sum, (.., minor)| sum.saturating_add(*minor));
                let paid = paid.min(self.credited(note, day));
                steps.push((day, paid.saturating_sub(before)));
                before = paid;
            }
            steps
        };
        let of_claim = |id: &Id| self.notes_of(id).flat_map(of_note).collect();
        self.ids(claims).map(|(claim, id)| (claim, of_claim(id))).collect()
    }

    /// Those of the claims that anything is about.
    fn ids(&self, claims: &[i64]) -> impl Iterator<Item = (i64, &Id)> {
        claims.iter().filter_map(|claim| self.claims.get(claim).map(|id| (*claim, id)))
    }

    fn taken_off(&self, item: &Item) -> &[(Date, i64, i64)] {
        self.taken.get(&item.key).map(Vec::as_slice).unwrap_or_default()
    }

    fn notes_of(&self, about: &Id) -> impl Iterator<Item = &Item> {
        self.of_id(about).iter().filter(|of| of.kind == InvoiceKind::InterestNote)
    }

    fn of_id(&self, about: &Id) -> &[Item] {
        self.about.get(about).map(Vec::as_slice).unwrap_or_default()
    }

    /// What a document of the day or before claims, less the credit notes about it and never below nothing.
    fn credited(&self, item: &Item, day: Date) -> i64 {
        if item.issued_on > day {
            return 0;
        }
        let credits = self.of_id(&item.id).iter();
        let credits =
            credits.filter(|of| of.kind == InvoiceKind::CreditNote && of.issued_on <= day);
        credits.fold(item.amount_minor, |left, of| left.saturating_sub(of.amount_minor)).max(0)
    }
}

/// The waivers of a document's interest up to a day, as known with an audit entry, oldest first.
pub fn waivers<D: Db>(
    db: &D,
    invoice: i64,
    day: Date,
    known: i64,
) -> Result<Vec<InterestEntry>, Fault> {
    let day = day.to_string();
    db.json(
        "SELECT
             json_group_array(json_object(
                 'id', substr(e.id, length('waiver/') + 1), 'on', e.booked_on, 'minor', e.minor, 'reason', e.reason,
                 'recorded_at', a.at
             ) ORDER BY e.booked_on, e.key)
         FROM interest_entry AS e LEFT JOIN audit AS a ON a.key = e.entry_key
         WHERE e.invoice_key = ?1 AND e.note_key IS NULL AND e.booked_on <= ?2
             AND (e.entry_key IS NULL OR e.entry_key <= ?3)",
        &[invoice.into(), (&day).into(), known.into()],
    )
}

/// What was given up of the interest of these documents, as known with an audit entry: document, day, how much.
pub fn waived<D: Db>(db: &D, invoices: &[i64], known: i64) -> Result<Vec<(i64, Date, i64)>, Fault> {
    let keys = crate::array(invoices)?;
    db.json(
        "SELECT json_group_array(json_array(e.invoice_key, e.booked_on, e.minor))
         FROM json_each(?1) AS j CROSS JOIN interest_entry AS e ON e.invoice_key = j.value
         WHERE e.note_key IS NULL AND (e.entry_key IS NULL OR e.entry_key <= ?2)",
        &[(&keys).into(), known.into()],
    )
}

/// Records a note or waiver.
pub fn insert<D: Db>(db: &D, entry: &Entry<'_>) -> Result<(), Fault> {
    let booked_on = entry.booked_on.to_string();
    db.execute(
        "INSERT INTO interest_entry
             (id, customer_key, invoice_key, note_key, booked_on, minor, reason, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            entry.id.into(),
            entry.customer_key.into(),
            entry.invoice_key.into(),
            entry.note_key.into(),
            (&booked_on).into(),
            entry.minor.into(),
            entry.reason.into(),
            entry.entry_key.into(),
        ],
    )?;
    Ok(())
}

/// The document that has the id of an interest note.
pub fn noted<D: Db>(db: &D, id: &Id) -> Result<Option<Noted>, Fault> {
    let row = db.first(
        "SELECT n.key, n.kind, about.id, n.issued_on, n.due_on FROM invoice AS n
         LEFT JOIN invoice AS about ON about.key = n.relates_key WHERE n.id = ?1",
        &[id.as_str().into()],
    )?;
    row.map(|row| {
        Ok(Noted {
            key: row.int(0)?,
            kind: row.parse(1)?,
            about: row.text_or_null(2)?.map(|_| row.parse(2)).transpose()?,
            issued_on: row.parse(3)?,
            due_on: row.parse(4)?,
        })
    })
    .transpose()
}

/// The waiver with this id, with `waiver/` before it.
pub fn waiver<D: Db>(db: &D, id: &str) -> Result<Option<Waived>, Fault> {
    let row = db.first(
        "SELECT i.id, e.booked_on, e.minor, i.currency, coalesce(e.reason, '') FROM interest_entry AS e
         CROSS JOIN invoice AS i ON i.key = e.invoice_key WHERE e.id = ?1",
        &[id.into()],
    )?;
    row.map(|row| {
        Ok(Waived {
            invoice_id: row.parse(0)?,
            on: row.parse(1)?,
            minor: row.int(2)?,
            currency: row.parse(3)?,
            reason: row.text(4)?.to_string(),
        })
    })
    .transpose()
}
