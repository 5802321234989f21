//! Invoices, credit notes, interest notes and fees: recorded, corrected, and read as of any day and moment.

pub(crate) mod terms;

use self::terms::{Ready, no_penalty, relation};
use crate::{
    audit::{self, Author, Note},
    interest,
    ledger::{Change, ROW, amount_in_range, customer_of, missing, one, unless_differing},
    payment::MAX_REASON,
    replay, told,
};
use dunlin_domain::{
    Date, Id, Instant, Money, Refusal, Refused,
    contract::{
        ledger::{InvoiceCorrection, Policy},
        types::{CreditRefund, Difference, InstalmentState, Invoice, InvoiceKind, NewInvoice},
    },
    delinquency, policy as rules, text,
};
use dunlin_store::{
    Db, Fault, When, adjustment,
    allocation::{self, Owing, Part},
    audit as chain, contract,
    correction::{self, Fields},
    credit_refund,
    dispute::{self, Contested},
    invoice::{self, After, Item},
    pause::{self, Pauses},
    policy, write,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Records an invoice, credit note, interest note or fee, and lets waiting payments meet it.
pub fn add<D: Db>(
    db: &D,
    new: &NewInvoice,
    made: Id,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| record(db, &id, new, author)).map(|change| (id.clone(), change))
}

/// The same inside a transaction that does more.
pub(crate) fn record<D: Db>(
    db: &D,
    id: &Id,
    new: &NewInvoice,
    author: &Author,
) -> Result<Change, Fault> {
    amount_in_range(&new.amount, 0)?;
    let is_stored = || Ok(invoice::find(db, id.as_str())?.is_some());
    let customer = customer_of(db, &new.customer_id, is_stored)?;
    let beside = invoice::beside(db, std::iter::once((id, new)))?.pop().unwrap_or_default();
    let ready = Ready::of(id, new, customer, &beside)?;
    let head = one(ready.row(ROW, id, new))?;
    if ready.is_stored {
        unless_differing(invoice::differing(db, &head)?)?;
        let others = ready.parts_differ.then(|| (ROW, "instalments".into()));
        unless_differing(others.into_iter().collect())?;
        if ready.reference.is_some() && invoice::adopt_references(db, &head)? {
            let said = serde_json::json!({ "reference": ready.reference });
            let of = id.as_str();
            let note = Note::changed("reference", "invoice", of, None::<&Value>, Some(&said))?;
            audit::note(db, author, &note)?;
            return Ok(Change::Replaced);
        }
        return Ok(Change::AlreadySo);
    }
    let made = [(ROW, id.clone(), new.clone(), ready)];
    if let Some((_, refused)) = terms::unnameable(db, &made)?.pop() {
        return Err(refused.into());
    }
    let noted = made.first().map(|(_, _, new, ready)| ready.noted(id, new));
    let entry = audit::note(db, author, &Note::made("invoice", id.as_str(), &noted)?)?;
    invoice::insert_all(db, &head, Some(entry))?;
    terms::insert_parts(db, &made, entry)?;
    replay::customers(db, &[customer], author.at, Some(entry))?;
    Ok(Change::Made)
}

/// A credit note is never corrected to less than was paid out of it at any time.
fn unless_paid_out<D: Db>(db: &D, item: &Item, minor: i64) -> Result<(), Fault> {
    if item.kind != InvoiceKind::CreditNote {
        return Ok(());
    }
    let refunds = credit_refund::of_credits(db, &[item.key], When::ALL)?;
    let refunds = refunds.get(&item.key).map(Vec::as_slice).unwrap_or_default();
    let standing = |day: Date| {
        let stood = |of: &&CreditRefund| of.on <= day && of.reversed_on.is_none_or(|on| on > day);
        refunds.iter().filter(stood).fold(0i64, |sum, of| sum.saturating_add(of.minor))
    };
    let gone = refunds.iter().map(|refund| standing(refund.on)).max().unwrap_or(0);
    if minor < gone {
        let detail = format!("{gone} of it was paid out");
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    Ok(())
}

/// What a document is about once it is corrected, refused where it would be about itself.
fn corrected_relation<D: Db>(
    db: &D,
    item: &Item,
    new: &InvoiceCorrection,
) -> Result<Option<Id>, Fault> {
    let about = match &new.relates_to {
        Some(Some(about)) => about,
        Some(None) => return Ok(None),
        None => return Ok(item.relates_to.clone()),
    };
    let named = invoice::find(db, about.as_str())?;
    let named = named.map(|(_, key, customer, kind, currency, _)| (key, customer, kind, currency));
    let key = relation(about, named.as_ref(), item.kind, item.currency, item.customer_key)?;
    if invoice::leads_to(db, key, item.key)? {
        let detail = format!("{about} is about this document itself");
        return Err(Refused::new(Refusal::MalformedField, detail).at("relates_to").into());
    }
    Ok(Some(about.clone()))
}

/// The version of a contract that is in force on a document's day by what is recorded now: refused at the field that asks
/// for it.
fn version_of<D: Db>(
    db: &D,
    contract: &Id,
    field: &str,
    item: &Item,
    day: Date,
) -> Result<i64, Fault> {
    let refused =
        |detail: &str| Fault::from(Refused::new(Refusal::UnknownContract, detail).at(field));
    if item.parent_key.is_some() {
        let detail = "correct the invoice, whose contract its instalments share";
        return Err(Fault::refused(Refusal::WrongState, detail));
    }
    let version = contract::in_force(db, contract, day)?
        .ok_or_else(|| refused("no contract of this id is in force on the day"))?;
    if version.customer_key != item.customer_key {
        return Err(refused("the customer has no contract of this id"));
    }
    Ok(version.key)
}

/// Makes a document void from a day on, or from its own where that is later: what is open of it then, and what comes to
/// be, is taken off it. What was paid stays paid.
pub fn void<D: Db>(db: &D, id: &Id, on: Date, author: &Author) -> Result<Change, Fault> {
    write(db, |db| make_void(db, id, on, author))
}

/// The same inside a transaction that does more.
pub(crate) fn make_void<D: Db>(
    db: &D,
    id: &Id,
    on: Date,
    author: &Author,
) -> Result<Change, Fault> {
    let refused =
        |code: Refusal, detail: &str| Fault::from(Refused::new(code, detail).at("invoice_id"));
    let unknown = || refused(Refusal::UnknownInvoice, Refusal::UnknownInvoice.about());
    let found = invoice::find(db, id.as_str())?.ok_or_else(unknown)?;
    let (_, invoice_key, customer_key, kind, _, issued_on) = found;
    if kind == InvoiceKind::CreditNote {
        return Err(refused(Refusal::NotPayable, "a credit note claims nothing"));
    }
    let name = void_name(id);
    if adjustment::stands(db, &name)? {
        return Ok(Change::AlreadySo);
    }
    let on = on.max(issued_on);
    let made = serde_json::json!({ "on": on });
    let note = Note::changed("void", "invoice", id.as_str(), None::<&Value>, Some(&made))?;
    let entry = audit::note(db, author, &note)?;
    // It takes off what there is, now and later: an amount says nothing.
    let (minor, difference) = (1, Difference::Voided);
    let new =
        adjustment::New { id: &name, customer_key, invoice_key, on, minor, difference, entry };
    adjustment::insert(db, &new)?;
    replay::customers(db, &[customer_key], author.at, Some(entry))?;
    Ok(Change::Made)
}

/// What the void of a document is called.
pub(crate) fn void_name(id: &Id) -> String {
    format!("void/{id}")
}

/// Takes a void back, as if it had never been. Says whether there was one.
fn reinstate<D: Db>(db: &D, item: &Item, reason: &str, author: &Author) -> Result<bool, Fault> {
    let name = void_name(&item.id);
    if !adjustment::stands(db, &name)? {
        return Ok(false);
    }
    let said = serde_json::json!({ "reason": reason });
    let note =
        Note::changed("reinstate", "invoice", item.id.as_str(), None::<&Value>, Some(&said))?;
    let entry = audit::note(db, author, &note)?;
    adjustment::take_back(db, &name)?;
    replay::customers(db, &[item.customer_key], author.at, Some(entry))?;
    Ok(true)
}

/// Puts right what was booked wrongly: the ledger replays from the earlier of the two days.
pub fn correct<D: Db>(
    db: &D,
    id: &Id,
    new: &InvoiceCorrection,
    author: &Author,
) -> Result<Change, Fault> {
    text::check(&new.reason, 1, MAX_REASON, "reason")?;
    write(db, |db| {
        let found = invoice::find(db, id.as_str())?.ok_or_else(|| missing("invoice"))?;
        let items = invoice::items(db, &[found.1], i64::MAX)?;
        let item =
            items.iter().find(|item| item.key == found.1).ok_or_else(|| missing("invoice"))?;
        let parts: Vec<&Item> =
            items.iter().filter(|part| part.parent_key == Some(item.key)).collect();
        if !parts.is_empty() && (new.due_on.is_some() || new.minor.is_some()) {
            let detail = "correct the instalments, which are called <id>#<number>";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        if item.parent_key.is_some() && new.issued_on.is_some() {
            let detail = "correct the day of the invoice, which its instalments share";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let (mut was, mut is) = (Fields::default(), Fields::default());
        let issued_on = new.issued_on.unwrap_or(item.issued_on);
        // A credit note has no use for a due date: that of its own day moves with it.
        let moves = item.kind == InvoiceKind::CreditNote && item.due_on == item.issued_on;
        let wanted = (
            issued_on,
            new.due_on.unwrap_or(if moves { issued_on } else { item.due_on }),
            new.minor.unwrap_or(item.amount_minor),
        );
        amount_in_range(&Money { minor: wanted.2, currency: item.currency }, 0)
            .map_err(|refused| Refused { field: Some("minor".into()), ..refused })?;
        unless_paid_out(db, item, wanted.2)?;
        let first_due = parts.iter().map(|part| part.due_on).min().unwrap_or(wanted.1);
        if first_due < wanted.0 {
            return Err(Refused::new(Refusal::DueBeforeIssued, Refusal::DueBeforeIssued.about())
                .at("due_on")
                .into());
        }
        if wanted.0 != item.issued_on {
            (was.issued_on, is.issued_on) = (Some(item.issued_on), Some(wanted.0));
        }
        if wanted.1 != item.due_on {
            (was.due_on, is.due_on) = (Some(item.due_on), Some(wanted.1));
        }
        if wanted.2 != item.amount_minor {
            (was.amount_minor, is.amount_minor) = (Some(item.amount_minor), Some(wanted.2));
        }
        let about = corrected_relation(db, item, new)?;
        if about != item.relates_to {
            let text =
                |about: &Option<Id>| Some(about.as_ref().map(Id::to_string).unwrap_or_default());
            (was.relates_to, is.relates_to) = (text(&item.relates_to), text(&about));
        }
        let penalty = new.penalty.unwrap_or(item.penalty);
        if penalty && item.kind != InvoiceKind::Fee {
            return Err(no_penalty().into());
        }
        if penalty != item.penalty {
            (was.penalty, is.penalty) = (Some(item.penalty), Some(penalty));
        }
        // A document of another day is under the version of that day.
        let moved = item.contract_id.as_ref().filter(|_| was.issued_on.is_some());
        let asked = new.contract_id.as_ref().map(|contract| (contract, "contract_id"));
        if let Some((contract, field)) = asked.or(moved.map(|contract| (contract, "issued_on"))) {
            let version = version_of(db, contract, field, item, wanted.0)?;
            if item.version_key != Some(version) {
                was.version_key = Some(item.version_key.unwrap_or(0));
                is.version_key = Some(version);
            }
        }
        if new.voided == Some(true) {
            let detail = "a void comes of an event or a file; `false` takes it back";
            return Err(Refused::new(Refusal::MalformedField, detail).at("voided").into());
        }
        let reinstated = new.voided.is_some() && reinstate(db, item, &new.reason, author)?;
        if was == is {
            return Ok(if reinstated { Change::Replaced } else { Change::AlreadySo });
        }
        if let Some(parent) = item.parent_key.filter(|_| was.due_on.is_some()) {
            due_with_the_last(db, parent, item, wanted.1, &new.reason, author)?;
        }
        let note = Note::changed(
            "correct",
            "invoice",
            id.as_str(),
            Some(&was),
            Some(&(&is, &new.reason)),
        )?;
        let entry = audit::note(db, author, &note)?;
        let mut owing = Owing::default();
        correction::insert(db, Some(item.key), None, &was, &is, &new.reason, entry)?;
        owing
            .invoices
            .insert(item.key, invoice::correct(db, item.key, wanted.0, wanted.1, wanted.2)?);
        if was.amount_minor.is_some() {
            dispute::follow(db, item.key)?;
        }
        if was.relates_to.is_some() || was.penalty.is_some() {
            invoice::relate(db, item.key, about.as_ref(), penalty)?;
        }
        if let Some(version) = is.version_key {
            invoice::agree(db, item.key, version)?;
        }
        for part in parts {
            correction::insert(db, Some(part.key), None, &was, &is, &new.reason, entry)?;
            invoice::correct(db, part.key, wanted.0, part.due_on, part.amount_minor)?;
        }
        replay::corrected(db, &[item.customer_key], &owing, author.at, Some(entry))?;
        Ok(Change::Replaced)
    })
}

/// Instalments stay in rising order, and their invoice is due with the last of them.
fn due_with_the_last<D: Db>(
    db: &D,
    parent: i64,
    item: &Item,
    due_on: Date,
    reason: &str,
    author: &Author,
) -> Result<(), Fault> {
    let family = invoice::items(db, &[parent], i64::MAX)?;
    let others = || family.iter().filter(|of| of.parent_key.is_some() && of.key != item.key);
    let before = others().filter(|of| of.key < item.key).map(|of| of.due_on).max();
    let after = others().filter(|of| of.key > item.key).map(|of| of.due_on).min();
    if before.is_some_and(|before| due_on < before) || after.is_some_and(|after| due_on > after) {
        let detail = "instalments are due in rising order";
        return Err(Refused::new(Refusal::DueBeforeIssued, detail).at("due_on").into());
    }
    let last = others().map(|of| of.due_on).fold(due_on, Date::max);
    let Some(whole) = family.iter().find(|of| of.key == parent && of.due_on != last) else {
        return Ok(());
    };
    let was = Fields { due_on: Some(whole.due_on), ..Fields::default() };
    let is = Fields { due_on: Some(last), ..Fields::default() };
    let (id, said) = (whole.id.as_str(), (&is, reason));
    let note = Note::changed("correct", "invoice", id, Some(&was), Some(&said))?;
    let entry = audit::note(db, author, &note)?;
    correction::insert(db, Some(parent), None, &was, &is, reason, entry)?;
    invoice::correct(db, parent, whole.issued_on, last, whole.amount_minor)?;
    Ok(())
}

/// The last audit entry that was known at a moment; the last there can be without one.
pub fn known_at<D: Db>(db: &D, at: Option<Instant>) -> Result<i64, Fault> {
    at.map_or(Ok(i64::MAX), |at| chain::last_by(db, &at.to_string()))
}

/// The document as it stood on the day, as known with an audit entry, with its interest.
pub fn get<D: Db>(db: &D, id: &Id, day: Date, known: i64) -> Result<Invoice, Fault> {
    let absent = || missing("invoice of that day or before");
    let found = invoice::find(db, id.as_str())?.ok_or_else(absent)?;
    let reading = Reading::of(db, &[found.1], day, known)?;
    let item = reading.item(found.1).filter(|item| item.issued_on <= day).ok_or_else(absent)?;
    let mut invoice = reading.invoice(db, item, true)?;
    told::document(db, &mut invoice, item.key, known)?;
    Ok(invoice)
}

/// A customer's documents by due date, as they stood on the day and were known then.
pub fn page<D: Db>(
    db: &D,
    customer: &Id,
    after: &After,
    limit: u32,
    when: impl Into<When>,
) -> Result<Vec<(Invoice, After)>, Fault> {
    let when = when.into();
    let places = invoice::page(db, customer, after, limit, when)?;
    let keys: Vec<i64> = places.iter().map(|(_, key)| *key).collect();
    let reading = Reading::of(db, &keys, when.day, when.known)?;
    let mut found = Vec::new();
    for (due_on, key) in places {
        if let Some(item) = reading.item(key) {
            found.push((reading.invoice(db, item, false)?, (due_on.to_string(), key)));
        }
    }
    Ok(found)
}

/// Whether a document was issued by the day and known then.
pub(crate) fn is_there<D: Db>(db: &D, key: i64, when: When) -> Result<bool, Fault> {
    let mut items = invoice::items(db, &[key], when.known)?.into_iter();
    Ok(items.any(|item| item.key == key && item.issued_on <= when.day))
}

/// What is open of a document on a day, its instalments together.
pub(crate) fn open_on<D: Db>(db: &D, key: i64, day: Date) -> Result<i64, Fault> {
    let reading = Reading::of(db, &[key], day, i64::MAX)?;
    Ok(reading.item(key).map_or(0, |item| reading.open(item)))
}

/// Some documents with all that is needed to say how they stood.
pub(crate) struct Reading {
    day: Date,
    known: i64,
    items: BTreeMap<i64, Item>,
    /// The instalments of an invoice, first one first.
    parts: BTreeMap<i64, Vec<i64>>,
    set: BTreeMap<i64, Vec<Part>>,
    used: BTreeMap<i64, Vec<Part>>,
    refunds: BTreeMap<i64, Vec<CreditRefund>>,
    contested: BTreeMap<i64, Vec<Contested>>,
    pauses: BTreeMap<i64, Pauses>,
    policy: Policy,
}

impl Reading {
    pub(crate) fn of<D: Db>(db: &D, keys: &[i64], day: Date, known: i64) -> Result<Self, Fault> {
        let items: BTreeMap<i64, Item> =
            invoice::items(db, keys, known)?.into_iter().map(|item| (item.key, item)).collect();
        let mut parts: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for item in items.values() {
            if let Some(parent) = item.parent_key {
                parts.entry(parent).or_default().push(item.key);
            }
        }
        let keys: Vec<i64> = items.keys().copied().collect();
        let mut set: BTreeMap<i64, Vec<Part>> = BTreeMap::new();
        for part in allocation::of_invoices(db, &keys, day, known)? {
            set.entry(part.invoice_key.unwrap_or(0)).or_default().push(part);
        }
        let notes = items.values().filter(|item| item.kind == InvoiceKind::CreditNote);
        let notes: Vec<i64> = notes.map(|item| item.key).collect();
        let mut used: BTreeMap<i64, Vec<Part>> = BTreeMap::new();
        let mut refunds = BTreeMap::new();
        if !notes.is_empty() {
            for part in allocation::of_credits(db, &[], &notes, day, known)? {
                used.entry(part.credit_key.unwrap_or(0)).or_default().push(part);
            }
            refunds = credit_refund::of_credits(db, &notes, When { day, known })?;
            for (key, refunds) in &mut refunds {
                let Some(note) = items.get(key) else { continue };
                for refund in refunds {
                    refund.on = refund.on.max(note.issued_on);
                    refund.reversed_on = refund.reversed_on.map(|on| on.max(note.issued_on));
                }
            }
        }
        let mut contested: BTreeMap<i64, Vec<Contested>> = BTreeMap::new();
        for dispute in dispute::of_invoices(db, &keys, Some(known))? {
            contested.entry(dispute.invoice_key).or_default().push(dispute);
        }
        let mut customers: Vec<i64> = items.values().map(|item| item.customer_key).collect();
        customers.dedup();
        let pauses = pause::of_customers(db, &customers, Some(known))?;
        let policy = policy::known(db, known)?;
        Ok(Self { day, known, items, parts, set, used, refunds, contested, pauses, policy })
    }

    /// The disputes of a claim that are open on the day.
    fn disputes(&self, claim: &Item) -> impl Iterator<Item = &Contested> {
        let open_then = |dispute: &&Contested| {
            dispute.opened_on <= self.day && dispute.resolved_on.is_none_or(|on| on > self.day)
        };
        self.contested.get(&claim.key).into_iter().flatten().filter(open_then)
    }

    /// How much of what is open of a claim is contested on the day.
    fn contested(&self, claim: &Item) -> i64 {
        let disputes = self.disputes(claim);
        let minor = disputes.fold(0i64, |sum, dispute| sum.saturating_add(dispute.minor));
        minor.min(self.open_of(claim)).max(0)
    }

    /// The delinquent days of a claim, and the bucket they are in. A credit note is in none.
    fn delinquency(&self, claim: &Item) -> (u32, Option<String>) {
        if claim.kind == InvoiceKind::CreditNote {
            return (0, None);
        }
        if self.open_of(claim) <= 0 {
            return (0, Some(delinquency::NOTHING_OPEN.to_string()));
        }
        let mut pauses = pause::of_document(self.pauses.get(&claim.customer_key), claim.key);
        if let Some(parent) = claim.parent_key {
            let of_whole = self.pauses.get(&claim.customer_key).into_iter().flatten();
            pauses.extend(of_whole.filter(|(of, _)| *of == Some(parent)).map(|(_, pause)| *pause));
        }
        let grace = rules::grace(&self.policy);
        let days = delinquency::delinquent_days(claim.due_on, self.day, grace, &pauses);
        let buckets = rules::buckets(&self.policy);
        (days, delinquency::bucket_of(days, &buckets).map(str::to_string))
    }

    /// The documents that are no instalment of another.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Item> {
        self.items.values().filter(|item| item.parent_key.is_none())
    }

    /// The claims that were there on the day, with what was open of each.
    pub(crate) fn claims_open(&self) -> impl Iterator<Item = (&Item, i64)> {
        let claims = self.items.values().filter(|item| {
            item.kind != InvoiceKind::CreditNote
                && item.issued_on <= self.day
                && !self.parts.contains_key(&item.key)
        });
        claims.map(|claim| (claim, self.open_of(claim)))
    }

    /// What a document was recorded with, its instalments together.
    pub(crate) fn amount(&self, item: &Item) -> i64 {
        self.claims(item).iter().fold(0i64, |sum, claim| sum.saturating_add(claim.amount_minor))
    }

    /// What was paid out of a credit note by the day.
    pub(crate) fn refunds(&self, item: &Item) -> &[CreditRefund] {
        self.refunds.get(&item.key).map(Vec::as_slice).unwrap_or_default()
    }

    /// What was set against any of the documents.
    pub(crate) fn allocated(&self) -> impl Iterator<Item = (&Item, &Part)> {
        self.set.iter().flat_map(|(key, parts)| {
            let item = self.items.get(key);
            parts.iter().filter_map(move |part| Some((item?, part)))
        })
    }

    fn item(&self, key: i64) -> Option<&Item> {
        self.items.get(&key)
    }

    /// The claims of a document: its instalments, or itself.
    fn claims<'a>(&'a self, item: &'a Item) -> Vec<&'a Item> {
        match self.parts.get(&item.key) {
            Some(parts) => parts.iter().filter_map(|key| self.items.get(key)).collect(),
            None => vec![item],
        }
    }

    fn open_of(&self, item: &Item) -> i64 {
        let parts = if item.kind == InvoiceKind::CreditNote { &self.used } else { &self.set };
        let off = parts.get(&item.key).into_iter().flatten();
        off.fold(item.amount_minor, |open, part| open.saturating_sub(part.minor))
    }

    fn open(&self, item: &Item) -> i64 {
        self.claims(item).iter().fold(0i64, |sum, claim| sum.saturating_add(self.open_of(claim)))
    }

    fn invoice<D: Db>(&self, db: &D, item: &Item, with_interest: bool) -> Result<Invoice, Fault> {
        let claims = self.claims(item);
        let open = self.open(item);
        let is_credit = item.kind == InvoiceKind::CreditNote;
        let allocations = if is_credit { &self.used } else { &self.set };
        let mut parts: Vec<&Part> =
            claims.iter().filter_map(|claim| allocations.get(&claim.key)).flatten().collect();
        parts.sort_by_key(|part| part.on);
        let written_off = parts.iter().filter(|part| part.difference == Some(Difference::WriteOff));
        let written_off_minor = written_off.fold(0i64, |sum, part| sum.saturating_add(part.minor));
        let amount = claims.iter().fold(0i64, |sum, claim| sum.saturating_add(claim.amount_minor));
        let oldest = claims
            .iter()
            .filter(|claim| !is_credit && self.open_of(claim) > 0)
            .min_by_key(|claim| claim.due_on);
        let instalments = self.parts.get(&item.key).map(|_| {
            claims.iter().map(|claim| self.instalment(claim)).collect::<Vec<InstalmentState>>()
        });
        let late = claims
            .iter()
            .map(|claim| (self.open_of(claim) > 0, self.delinquency(claim)))
            .max_by_key(|(is_open, late)| (*is_open, late.0));
        let (delinquent_days, bucket) = late.map_or((0, None), |(_, late)| late);
        let disputed_minor =
            claims.iter().fold(0i64, |sum, claim| sum.saturating_add(self.contested(claim)));
        // That a rate is missing, that no number holds the interest, or that the preset did not hold yet, is said beside
        // what is known; it hides nothing else.
        let (interest, interest_missing) = match with_interest {
            true => match interest::of_invoice(db, &item.id, self.day, self.known) {
                Err(Fault::Refused(refused))
                    if matches!(
                        refused.code,
                        Refusal::RateMissing | Refusal::AmountTooLarge | Refusal::UnknownPreset
                    ) =>
                {
                    (None, Some(refused.detail))
                }
                other => (other?, None),
            },
            false => (None, None),
        };
        Ok(Invoice {
            id: item.id.clone(),
            customer_id: item.customer_id.clone(),
            kind: item.kind,
            issued_on: item.issued_on,
            due_on: item.due_on,
            amount: Money { minor: amount, currency: item.currency },
            disputed: claims.iter().any(|claim| self.disputes(claim).next().is_some()),
            disputed_minor,
            contract_id: item.contract_id.clone(),
            relates_to: item.relates_to.clone(),
            reference: item.reference.clone(),
            penalty: item.penalty.then_some(true),
            instalments,
            open: Money { minor: open, currency: item.currency },
            written_off_minor,
            days_past_due: oldest.map_or(0, |claim| self.day.days_past_due(claim.due_on)),
            delinquent_days,
            bucket,
            interest,
            interest_missing,
            allocations: parts.iter().filter_map(|part| part.allocation(item.currency)).collect(),
            refunds: self.refunds.get(&item.key).cloned(),
            recorded_at: None,
            corrections: None,
        })
    }

    fn instalment(&self, claim: &Item) -> InstalmentState {
        let open_minor = self.open_of(claim);
        let (delinquent_days, bucket) = self.delinquency(claim);
        InstalmentState {
            id: claim.id.to_string(),
            due_on: claim.due_on,
            minor: claim.amount_minor,
            open_minor,
            days_past_due: if open_minor > 0 { self.day.days_past_due(claim.due_on) } else { 0 },
            delinquent_days,
            bucket,
        }
    }
}
