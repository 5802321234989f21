//! Defaults: recorded by hand, or by the rule of the policy in the nightly sweep.

use crate::{
    audit::{Author, Note, note},
    invoice,
    ledger::{Change, day_or_today},
    pause::differing,
    score::made_id,
};
use dunlin_domain::arrange::{mapped, set};
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
    /// Of a cross-default: the default it rests on.
    rests_on: Option<Id>,
}

/// What is known of the candidates of a slice and of their groups.
struct Book {
    ids: BTreeMap<i64, Id>,
    /// The head of each one's group; who is judged alone is its own.
    heads: BTreeMap<i64, i64>,
    breaches: Breaches,
    /// The same where what was given up and not recovered counts as open: it clears nothing.
    lasting: Breaches,
    /// The defaults of others that somebody took back for an account with its own.
    taken_back: BTreeSet<(i64, Currency, Id)>,
}

type Breaches = BTreeMap<Account, (Breach, Id)>;

/// A default that the rule opened and that is open.
struct Opened {
    key: i64,
    id: Id,
    minor: Option<i64>,
    rests_on: Option<Id>,
    /// What withdrew the one it rests on.
    withdrawn_by: Option<String>,
}

/// What cross-defaults rest on, by the head of the group: since when, whose, and which default.
type Origins = BTreeMap<i64, BTreeSet<(Date, i64, Id)>>;

impl Book {
    /// What cross-defaults of a group may rest on: the defaults of accounts for which the rule holds by themselves.
    fn origins(&self, breaches: &Breaches, ids: &BTreeMap<Account, Id>) -> Origins {
        let mut origins = Origins::new();
        for (account, (of, _)) in breaches {
            if let (Some(head), Some(id)) = (self.heads.get(&account.0), ids.get(account)) {
                origins.entry(*head).or_default().insert((of.since, account.0, id.clone()));
            }
        }
        origins
    }

    /// Those of them that hold for the account, the oldest first.
    fn hold<'a>(
        &'a self,
        origins: &'a Origins,
        (customer, currency): Account,
    ) -> impl Iterator<Item = &'a (Date, i64, Id)> {
        let of_group = self.heads.get(&customer).and_then(|head| origins.get(head));
        let taken_back = move |id: &Id| self.taken_back.contains(&(customer, currency, id.clone()));
        of_group.into_iter().flatten().filter(move |(.., id)| !taken_back(id))
    }
}

/// Opens and closes defaults of the range by the rule of the policy. Runs inside a slice of the sweep.
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
    let keys: Vec<i64> = book.ids.keys().copied().collect();
    let (mut open, mut closed, mut ids) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for (customer, currency, key, id, minor, is_open, rests_on, withdrawn_by) in
        table::by_rule(db, &keys, day)?
    {
        ids.insert(id.clone());
        let account = (customer, currency);
        let of = Opened { key, id, minor, rests_on, withdrawn_by };
        // What rests on a default that somebody took back goes with it, whatever else holds.
        match of.withdrawn_by.as_deref() == Some("close") {
            _ if !is_open => {}
            true => closed.push((account, DefaultState::Withdrawn, of)),
            false => _ = open.insert(account, of),
        }
    }
    // What is opened on one day has one id: it is opened once.
    let named = |(customer, currency): Account| -> Result<Option<Id>, Fault> {
        let Some(customer) = book.ids.get(&customer) else { return Ok(None) };
        let id = made_id("D", &[customer.as_str(), currency.as_str(), &day.to_string()])?;
        Ok(Some(id).filter(|id| !ids.contains(id)))
    };
    let mut own: BTreeMap<Account, Id> = BTreeMap::new();
    for account in book.breaches.keys() {
        let id = match open.get(account) {
            Some(of) => Some(of.id.clone()),
            None => named(*account)?,
        };
        own.extend(id.map(|id| (*account, id)));
    }
    let origins = book.origins(&book.breaches, &own);
    let wanted = wanted(db, &book, &book.breaches, &origins, day, rule)?;
    let mut new: Vec<table::ByRule> = Vec::new();
    let mut rests: Vec<(Id, Option<Id>)> = Vec::new();
    for (account, found) in &wanted {
        if let Some(of) = open.get(account) {
            let holds = |on: &Id| book.hold(&origins, *account).any(|(.., id)| id == on);
            if of.rests_on.as_ref().is_some_and(|on| !holds(on)) {
                rests.push((of.id.clone(), found.rests_on.clone()));
            }
            continue;
        }
        let Some(id) = named(*account)? else { continue };
        if found.rests_on.is_some() {
            rests.push((id.clone(), found.rests_on.clone()));
        }
        let (document, minor, reason) = (found.document, found.amount_minor, found.reason.clone());
        new.push((id, account.0, document, minor, account.1, reason));
    }
    // What is left of those that are open is over.
    let ids_open = mapped(open.iter().map(|(account, of)| (*account, of.id.clone())));
    open.retain(|account, _| !wanted.contains_key(account));
    if !open.is_empty() {
        let origins = book.origins(&book.lasting, &ids_open);
        let mut lasting = self::wanted(db, &book, &book.lasting, &origins, day, rule)?;
        open.retain(|account, _| lasting.remove(account).is_none());
    }
    closed.extend(open.into_iter().map(|(account, of)| match of.withdrawn_by.as_deref() {
        Some("judge") => (account, DefaultState::Withdrawn, of),
        _ => (account, DefaultState::Cured, of),
    }));
    let rests: Vec<_> = rests.iter().map(|(id, on)| (id, on.as_ref())).collect();
    if new.is_empty() && closed.is_empty() {
        return match rests.is_empty() {
            true => Ok(()),
            false => table::rest_on(db, &rests),
        };
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
    let ended = |state: DefaultState| closed.iter().filter(move |of| of.1 == state).map(|of| &of.2);
    let ids = |state: DefaultState| ended(state).map(|of| &of.id).collect::<Vec<_>>();
    let change = serde_json::json!({
        "rule": RULE,
        "opened": new.iter().map(opened).collect::<Vec<_>>(),
        "cured": ids(DefaultState::Cured),
        "withdrawn": ids(DefaultState::Withdrawn),
        "withdrawn_with": ended(DefaultState::Withdrawn).map(|of| &of.rests_on).collect::<Vec<_>>(),
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
    let over = closed.iter().map(|((customer, currency), state, of)| {
        let kind = match state {
            DefaultState::Withdrawn => "default.closed",
            _ => "default.cured",
        };
        (kind, *customer, of.id.clone(), told(*state, *currency, of.minor))
    });
    event::add_all(db, &over.chain(opened).collect::<Vec<_>>(), author.at)?;
    for state in [DefaultState::Cured, DefaultState::Withdrawn] {
        let keys: Vec<i64> = ended(state).map(|of| of.key).collect();
        if !keys.is_empty() {
            table::close_all(db, &keys, state, day, entry)?;
        }
    }
    table::open_all(db, &new, day, entry)?;
    table::rest_on(db, &rests)
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
        let candidates = set(candidates.iter().copied());
        members.retain(|(key, ..)| candidates.contains(key));
        members.iter_mut().for_each(|(key, _, head)| *head = *key);
    }
    let (mut ids, mut heads) = (BTreeMap::new(), BTreeMap::new());
    for (key, id, head) in members {
        ids.insert(key, id);
        heads.insert(key, head);
    }
    let keys: Vec<i64> = ids.keys().copied().collect();
    let pauses = pause::of_customers(db, &keys, None)?;
    let (documents, others) = table::taken_back(db, &keys, day)?;
    let mut taken: BTreeMap<i64, Date> = BTreeMap::new();
    for (key, on) in documents {
        let last = taken.entry(key).or_insert(on);
        *last = on.max(*last);
    }
    let mut items: BTreeMap<Account, Vec<(Item, i64)>> = BTreeMap::new();
    let mut names: BTreeMap<i64, Id> = BTreeMap::new();
    for (customer, currency, key, id, due_on, open_minor, given_minor) in
        table::overdue(db, &keys, day)?
    {
        let pauses = pause::of_document(pauses.get(&customer), key);
        let item = Item { key, due_on, open_minor, pauses, taken_back: taken.get(&key).copied() };
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
    Ok(Book { ids, heads, breaches, lasting, taken_back: set(others) })
}

/// Every default that the rule wants on the day, of its own or with the group.
fn wanted<D: Db>(
    db: &D,
    book: &Book,
    breaches: &Breaches,
    origins: &Origins,
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
        let (document, name) = (Some(of.item), Some(document.clone()));
        let amount_minor = of.overdue_minor;
        wanted.insert(*account, Found { document, name, amount_minor, reason, rests_on: None });
    }
    if rule.cross_default != Some(true) {
        return Ok(wanted);
    }
    // Every member of a group beside the one that was in default first.
    let in_group = |key: &&i64| book.heads.get(key).is_some_and(|head| origins.contains_key(head));
    let keys: Vec<i64> = book.ids.keys().filter(in_group).copied().collect();
    for (customer, currency, amount_minor) in table::owing(db, &keys, day)? {
        let account = (customer, currency);
        let Some((_, origin, rests_on)) = book.hold(origins, account).next() else { continue };
        let Some(origin) = book.ids.get(origin) else { continue };
        let reason = format!("{RULE}: {origin} of the same group is in default");
        let rests_on = Some(rests_on.clone());
        let found = Found { document: None, name: None, amount_minor, reason, rests_on };
        wanted.entry(account).or_insert(found);
    }
    Ok(wanted)
}
