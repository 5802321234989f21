//! Defaults: recorded by hand, or by the rule of the policy in the nightly sweep.

use crate::{
    audit::{Author, Note, note},
    invoice,
    ledger::{Change, day_or_today},
    pause::differing,
    score::made_id,
};
use dunlin_domain::{
    Currency, Date, Id, Refusal, Refused,
    contract::{
        events::EventData,
        ledger::{
            DefaultClosing, DefaultKind, DefaultRecord, DefaultReopening, DefaultRule,
            DefaultState, NewDefault, Policy,
        },
    },
    default_record::{Breach, Item, RULE, breach, check, check_closing},
    policy, text,
};
use dunlin_store::{
    Db, Fault, When,
    arrears::Range,
    customer,
    default_record::{self as table, Said},
    event, pause, score, write,
};
use std::collections::{BTreeMap, BTreeSet};

/// What says the same as something that was taken back is its repetition, and is not done again.
const TAKEN_BACK: &str =
    "that was said before and taken back: say it with another day or another reason";

/// Records a default.
pub fn add<D: Db>(
    db: &D,
    new: &NewDefault,
    made: Id,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    check(new)?;
    let id = new.id.clone().unwrap_or(made);
    write(db, |db| {
        if let Some(stored) = table::get(db, &id)? {
            unless_other(&stored, new)?;
            return Ok((id.clone(), Change::AlreadySo));
        }
        let found_on =
            day_or_today(db, new.found_on, author).map_err(|fault| renamed(fault, "found_on"))?;
        let (customer_key, contract_key, invoice_key) = named(db, new, found_on)?;
        if let (Some(key), Some(amount)) = (invoice_key, new.amount) {
            let open = invoice::open_on(db, key, found_on)?;
            if amount.minor > open {
                let detail = format!("{open} was open on {found_on}");
                return Err(Refused::new(Refusal::MoreThanOpen, detail).at("amount").into());
            }
        }
        let filled = NewDefault { id: Some(id.clone()), found_on: Some(found_on), ..new.clone() };
        let entry = note(db, author, &Note::made("default_record", id.as_str(), &filled)?)?;
        let row = table::New {
            id: &id,
            customer_key,
            contract_key,
            invoice_key,
            amount: new.amount,
            found_on,
            kind: new.kind,
            reason: &new.reason,
            evidence: new.evidence.as_deref(),
            entry,
        };
        table::insert(db, &row)?;
        score::outdate(db, &[customer_key])?;
        Ok((id.clone(), Change::Made))
    })
}

/// The same refusal with the name that the field has here.
fn renamed(fault: Fault, field: &str) -> Fault {
    match fault {
        Fault::Refused(refused) => {
            Fault::Refused(Refused { field: Some(field.to_string()), ..refused })
        }
        other => other,
    }
}

/// The keys of the customer, the contract and the document that a default names.
fn named<D: Db>(
    db: &D,
    new: &NewDefault,
    found_on: Date,
) -> Result<(i64, Option<i64>, Option<i64>), Fault> {
    let not_before = |day: Date, what: &str| match found_on < day {
        false => Ok(()),
        true => {
            let detail = format!("the {what} is of {day}");
            Err(Refused::new(Refusal::DateOutOfRange, detail).at("found_on"))
        }
    };
    let refused =
        |code: Refusal, field: &str| Fault::from(Refused::new(code, code.about()).at(field));
    let customer = customer::key(db, &new.customer_id)?
        .ok_or_else(|| refused(Refusal::UnknownCustomer, "customer_id"))?;
    let contract = match &new.contract_id {
        Some(id) => {
            let (key, since) = table::contract(db, customer, id)?
                .ok_or_else(|| refused(Refusal::UnknownContract, "contract_id"))?;
            not_before(since, "contract")?;
            Some(key)
        }
        None => None,
    };
    let document = match &new.invoice_id {
        Some(id) => {
            let (key, owner, currency, issued_on) = table::document(db, id)?
                .ok_or_else(|| refused(Refusal::UnknownInvoice, "invoice_id"))?;
            if owner != customer {
                return Err(refused(Refusal::InvoiceOfAnotherCustomer, "invoice_id"));
            }
            if new.amount.is_some_and(|amount| amount.currency != currency) {
                let detail = format!("{id} is in {currency}");
                return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("amount").into());
            }
            not_before(issued_on, "document")?;
            Some(key)
        }
        None => None,
    };
    Ok((customer, contract, document))
}

/// What a repetition leaves out was decided the first time.
fn unless_other(stored: &DefaultRecord, new: &NewDefault) -> Result<(), Refused> {
    differing(&[
        ("customer_id", stored.customer_id != new.customer_id),
        ("contract_id", stored.contract_id != new.contract_id),
        ("invoice_id", stored.invoice_id != new.invoice_id),
        ("amount", stored.amount != new.amount),
        ("found_on", new.found_on.is_some_and(|on| on != stored.found_on)),
        ("kind", stored.kind != new.kind),
        ("reason", stored.reason != new.reason),
        ("evidence", stored.evidence != new.evidence),
    ])
}

/// Closes a default as cured or withdrawn.
pub fn close<D: Db>(
    db: &D,
    id: &Id,
    closing: &DefaultClosing,
    author: &Author,
) -> Result<Change, Fault> {
    check_closing(closing)?;
    write(db, |db| {
        let stored = get(db, id)?;
        let said = table::said(db, id)?;
        let same = |(state, on, cured_by, _): &&Said| {
            *state == closing.state
                && closing.on.is_none_or(|day| *on == Some(day))
                && (closing.payment_id.is_none() || closing.payment_id == *cured_by)
        };
        let reason = |of: &&Said| closing.reason.is_none() || closing.reason == of.3;
        if let Some(closed_on) = stored.closed_on {
            if let Some(last) = said.last().filter(same) {
                differing(&[("reason", !reason(&last))])?;
                return Ok(Change::AlreadySo);
            }
            let detail = format!("the default was {} on {closed_on}", stored.state);
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        if said.iter().filter(same).any(|of| closing.reason == of.3) {
            return Err(Fault::refused(Refusal::WrongState, TAKEN_BACK));
        }
        let on = day_or_today(db, closing.on, author)?;
        if on < stored.found_on {
            let detail = format!("the default was found on {}", stored.found_on);
            return Err(Refused::new(Refusal::WrongState, detail).at("on").into());
        }
        let payment = match &closing.payment_id {
            Some(payment) => {
                let code = Refusal::UnknownPayment;
                let (key, received_on) = table::payment(db, &stored.customer_id, payment)?
                    .ok_or_else(|| Refused::new(code, code.about()).at("payment_id"))?;
                if on < received_on {
                    let detail = format!("the payment came in on {received_on}");
                    return Err(Refused::new(Refusal::DateOutOfRange, detail).at("on").into());
                }
                Some(key)
            }
            None => None,
        };
        let after = DefaultClosing { on: Some(on), ..closing.clone() };
        let change =
            Note::changed("close", "default_record", id.as_str(), Some(&stored), Some(&after))?;
        let entry = note(db, author, &change)?;
        table::close(db, id, closing.state, on, payment, entry)?;
        score::outdate(db, customer::key(db, &stored.customer_id)?.as_slice())?;
        Ok(Change::Replaced)
    })
}

/// Opens a default again that was closed by mistake, as if it had not been.
pub fn reopen<D: Db>(
    db: &D,
    id: &Id,
    new: &DefaultReopening,
    author: &Author,
) -> Result<Change, Fault> {
    text::check(&new.reason, 1, 500, "reason")?;
    write(db, |db| {
        let stored = get(db, id)?;
        let said = table::said(db, id)?;
        let wrong_state = |detail: String, field: &str| {
            Err(Fault::from(Refused::new(Refusal::WrongState, detail).at(field)))
        };
        match stored.closed_on {
            None if said.iter().rev().nth(1).and_then(|before| before.1) == Some(new.replaces) => {
                let reason = said.last().and_then(|last| last.3.as_ref());
                differing(&[("reason", reason != Some(&new.reason))])?;
                return Ok(Change::AlreadySo);
            }
            None => {
                return wrong_state("the default was not closed on that day".into(), "replaces");
            }
            Some(on) if on == new.replaces => {
                let is_it = |pair: &[Said]| match pair {
                    [(_, closed, ..), (DefaultState::Open, .., reason)] => {
                        *closed == Some(on) && reason.as_ref() == Some(&new.reason)
                    }
                    _ => false,
                };
                if said.windows(2).any(is_it) {
                    return wrong_state(TAKEN_BACK.into(), "replaces");
                }
            }
            Some(on) => {
                return wrong_state(
                    format!("the default was {} on {on}", stored.state),
                    "replaces",
                );
            }
        }
        if let Some(other) = table::beside(db, id)? {
            return wrong_state(format!("the rule has opened {other} since"), "id");
        }
        let said = serde_json::json!({ "state": DefaultState::Open, "reason": new.reason });
        let change =
            Note::changed("reopen", "default_record", id.as_str(), Some(&stored), Some(&said))?;
        let entry = note(db, author, &change)?;
        table::reopen(db, id, entry)?;
        score::outdate(db, customer::key(db, &stored.customer_id)?.as_slice())?;
        Ok(Change::Replaced)
    })
}

/// The default of this id with all that is recorded of it.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<DefaultRecord, Fault> {
    then(db, id, When::ALL)
}

/// The default of this id as it stood on a day and was known then.
pub fn then<D: Db>(db: &D, id: &Id, when: When) -> Result<DefaultRecord, Fault> {
    table::then(db, id, when)?
        .ok_or_else(|| Fault::refused(Refusal::NotFound, "no default has this id"))
}

/// Defaults after an id: everybody's or one customer's, in any state or in one, as they stood on a day and were
/// known then.
pub fn page<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    customer: Option<&Id>,
    state: Option<DefaultState>,
    when: When,
) -> Result<Vec<DefaultRecord>, Fault> {
    table::page(db, after, limit, customer, state, when)
}

/// A customer by key and a currency.
type Account = (i64, Currency);

/// Why the rule records a default.
struct Found {
    document: Option<i64>,
    /// What the document is called.
    name: Option<Id>,
    amount_minor: i64,
    reason: String,
    since: Date,
}

/// What is known of the candidates of a slice and of their groups.
struct Book {
    ids: BTreeMap<i64, Id>,
    /// The members of each group by its head; who is judged alone is a group of one.
    groups: BTreeMap<i64, Vec<i64>>,
    breaches: Breaches,
    /// The same where what was given up and not recovered counts as open: it clears nothing.
    lasting: Breaches,
}

type Breaches = BTreeMap<Account, (Breach, Id)>;

/// Opens and cures defaults of the range by the rule of the policy. Runs inside a slice of the sweep.
pub(crate) fn judge<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    policy: &Policy,
    rule: &DefaultRule,
    author: &Author,
) -> Result<(), Fault> {
    let days = i64::from(rule.days).saturating_add(i64::from(policy::grace(policy)));
    let Ok(last_due) = day.plus_days(days.saturating_neg()) else { return Ok(()) };
    let candidates = table::candidates(db, range, day, last_due)?;
    if candidates.is_empty() {
        return Ok(());
    }
    let book = book(db, &candidates, day, policy, rule)?;
    let wanted = wanted(db, &book, &book.breaches, day, rule)?;
    let keys: Vec<i64> = book.ids.keys().copied().collect();
    let (mut open, mut withdrawn) = (BTreeMap::new(), BTreeSet::new());
    for (customer, currency, key, id, closed_on, minor) in table::by_rule(db, &keys)? {
        let account = (customer, currency);
        match closed_on {
            None => _ = open.insert(account, (key, id, minor)),
            // What somebody took back is not recorded anew for the same arrears.
            Some(on) if wanted.get(&account).is_some_and(|found| found.since <= on) => {
                withdrawn.insert(account);
            }
            Some(_) => {}
        }
    }
    let mut new: Vec<table::ByRule> = Vec::new();
    for (account, found) in &wanted {
        let Some(customer) = book.ids.get(&account.0) else { continue };
        if open.contains_key(account) || withdrawn.contains(account) {
            continue;
        }
        let id = made_id("D", &[customer.as_str(), account.1.as_str(), &day.to_string()])?;
        let (document, minor, reason) = (found.document, found.amount_minor, found.reason.clone());
        new.push((id, account.0, document, minor, account.1, reason));
    }
    // What is left of those that are open is over.
    open.retain(|account, _| !wanted.contains_key(account));
    if !open.is_empty() {
        let lasting = self::wanted(db, &book, &book.lasting, day, rule)?;
        open.retain(|account, _| !lasting.contains_key(account));
    }
    if new.is_empty() && open.is_empty() {
        return Ok(());
    }
    let opened = |(id, customer, document, minor, currency, reason): &table::ByRule| {
        let named = wanted.get(&(*customer, *currency)).and_then(|found| found.name.as_ref());
        serde_json::json!({
            "id": id,
            "customer_id": book.ids.get(customer),
            "invoice_id": named.filter(|_| document.is_some()),
            "amount": { "minor": minor, "currency": currency },
            "found_on": day,
            "kind": DefaultKind::LatePayment,
            "reason": reason,
        })
    };
    let change = serde_json::json!({
        "rule": RULE,
        "opened": new.iter().map(opened).collect::<Vec<_>>(),
        "cured": open.values().map(|(_, id, _)| id).collect::<Vec<_>>(),
    });
    let entry = note(
        db,
        author,
        &Note::changed("judge", "default_record", &day.to_string(), None::<&()>, Some(&change))?,
    )?;
    let told = |state: DefaultState, currency: Currency, minor: Option<i64>| EventData {
        day: Some(day),
        state: Some(state.name().into()),
        minor,
        currency: Some(currency),
        ..crate::event::nothing()
    };
    let opened = new.iter().map(|row| {
        let name = wanted.get(&(row.1, row.4)).and_then(|found| found.name.clone());
        let invoice_id = name.filter(|_| row.2.is_some());
        let data = EventData { invoice_id, ..told(DefaultState::Open, row.4, Some(row.3)) };
        ("default.opened", row.1, row.0.clone(), data)
    });
    let ended = open.iter().map(|((customer, currency), (_, id, minor))| {
        ("default.cured", *customer, id.clone(), told(DefaultState::Cured, *currency, *minor))
    });
    event::add_all(db, &opened.chain(ended).collect::<Vec<_>>(), author.at)?;
    table::open_all(db, &new, day, entry)?;
    let cured: Vec<i64> = open.values().map(|(key, ..)| *key).collect();
    table::cure_all(db, &cured, day, entry)
}

fn book<D: Db>(
    db: &D,
    candidates: &[i64],
    day: Date,
    policy: &Policy,
    rule: &DefaultRule,
) -> Result<Book, Fault> {
    let mut members = table::members(db, candidates)?;
    if rule.cross_default != Some(true) {
        let candidates: BTreeSet<i64> = candidates.iter().copied().collect();
        members.retain(|(key, ..)| candidates.contains(key));
        members.iter_mut().for_each(|(key, _, head)| *head = *key);
    }
    let (mut ids, mut groups) = (BTreeMap::new(), BTreeMap::<i64, Vec<i64>>::new());
    for (key, id, head) in members {
        ids.insert(key, id);
        groups.entry(head).or_default().push(key);
    }
    let keys: Vec<i64> = ids.keys().copied().collect();
    let pauses = pause::of_customers(db, &keys, None)?;
    let mut items: BTreeMap<Account, Vec<(Item, i64)>> = BTreeMap::new();
    let mut names: BTreeMap<i64, Id> = BTreeMap::new();
    for (customer, currency, key, id, due_on, open_minor, given_minor) in
        table::overdue(db, &keys, day)?
    {
        let pauses = pause::of_document(pauses.get(&customer), key);
        let item = Item { key, due_on, open_minor, pauses };
        items.entry((customer, currency)).or_default().push((item, given_minor));
        names.insert(key, id);
    }
    let (mut breaches, mut lasting) = (Breaches::new(), Breaches::new());
    for (account, items) in items {
        let (mut items, given): (Vec<Item>, Vec<i64>) = items.into_iter().unzip();
        for found in [&mut breaches, &mut lasting] {
            let of = breach(rule, policy::grace(policy), account.1, &items, day);
            if let Some((of, name)) = of.and_then(|of| Some((of, names.get(&of.item)?.clone()))) {
                found.insert(account, (of, name));
            }
            for (item, given) in items.iter_mut().zip(&given) {
                item.open_minor = item.open_minor.saturating_add(*given);
            }
        }
    }
    Ok(Book { ids, groups, breaches, lasting })
}

/// Every default that the rule wants on the day, of its own or with the group.
fn wanted<D: Db>(
    db: &D,
    book: &Book,
    breaches: &Breaches,
    day: Date,
    rule: &DefaultRule,
) -> Result<BTreeMap<Account, Found>, Fault> {
    let mut wanted: BTreeMap<Account, Found> = BTreeMap::new();
    for (account, (of, document)) in breaches {
        let reason = format!(
            "{RULE}: {document} is {} delinquent, the rule says {}",
            text::counted(of.days.into(), "day"),
            rule.days
        );
        let (amount_minor, since) = (of.overdue_minor, of.since);
        let (document, name) = (Some(of.item), Some(document.clone()));
        wanted.insert(*account, Found { document, name, amount_minor, reason, since });
    }
    if rule.cross_default != Some(true) {
        return Ok(wanted);
    }
    let mut own: BTreeMap<i64, (Date, i64)> = BTreeMap::new();
    for ((key, _), (of, _)) in breaches {
        let first = own.entry(*key).or_insert((of.since, *key));
        *first = (*first).min((of.since, *key));
    }
    // Every member of a group beside the one that was in default first.
    let mut first: BTreeMap<i64, (Date, i64)> = BTreeMap::new();
    for members in book.groups.values() {
        if let Some(of) = members.iter().filter_map(|key| own.get(key)).min() {
            first.extend(members.iter().map(|member| (*member, *of)));
        }
    }
    let keys: Vec<i64> = first.keys().copied().collect();
    for (customer, currency, amount_minor) in table::owing(db, &keys, day)? {
        let Some((since, origin)) = first.get(&customer) else { continue };
        let Some(origin) = book.ids.get(origin) else { continue };
        let reason = format!("{RULE}: {origin} of the same group is in default");
        let found = Found { document: None, name: None, amount_minor, reason, since: *since };
        wanted.entry((customer, currency)).or_insert(found);
    }
    Ok(wanted)
}
