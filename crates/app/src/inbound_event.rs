//! An event comes in: it is kept once, and what its rule makes of it is made in the same transaction.
//!
//! What the ledger refuses is kept too, with the reason, so that it can be tried again when the reason is gone: the
//! source would only send the same again.

pub mod retry;

use crate::{
    audit::{self, Author, Note, sha256},
    invoice,
    ledger::{Change, known_customer, missing, not_in_future, organisation, today},
    payment,
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    contract::{
        events::{EventAction, EventData, InboundEvent, InboundState},
        ledger::NewReversal,
        types::ReversalKind,
    },
    event::is_code,
    profile::event::{self as mapping, Back, Made, Refund},
};
use dunlin_store::{
    Db, Fault,
    arrears::Range,
    customer, event as feed,
    event_source::Stored,
    inbound_event::{self as table, About, Awaited, Item, New, Outcome},
    invoice as documents, payment as payments, reversal, score, write,
};
use serde_json::Value;

/// The longest body of an event. What platforms send about one payment or invoice has a few kilobytes.
pub const MAX_BODY: usize = 256 * 1024;

/// How long bodies are kept: long enough to look into what went wrong in the last quarter.
const RETENTION_SECONDS: i64 = 90 * 24 * 3600;

/// Bodies that one run forgets.
const FORGOTTEN: i64 = 1_000;

/// What an event did to the ledger.
#[derive(Default)]
struct Applied {
    customer: Option<i64>,
    customer_id: Option<Id>,
    made: Option<String>,
    note: Option<(mapping::Note, i64)>,
}

/// An event that was read and can be kept.
struct Event<'a> {
    source: &'a Stored,
    id: Id,
    kind: String,
    body: &'a str,
    hash: String,
    makes: Option<EventAction>,
    made: Result<Made, Refused>,
    said: Said,
}

/// Keeps an event whose signature is good, and applies it. `header_id` is what the signed headers say of its id.
pub fn receive<D: Db>(
    db: &D,
    source: &Stored,
    header_id: Option<&str>,
    body: &str,
    author: &Author,
) -> Result<(InboundEvent, Change), Fault> {
    if body.len() > MAX_BODY {
        let detail = format!("an event has at most {MAX_BODY} bytes");
        return Err(Fault::refused(Refusal::BodyTooLarge, detail));
    }
    let event = read(db, source, header_id, body)?;
    let applied = write(db, |db| {
        if let Some(known) = known(db, &event)? {
            return Ok((known, Change::AlreadySo));
        }
        let applied = apply(db, &event, author)?;
        let state = match &event.made {
            Ok(Made::Nothing) => InboundState::Kept,
            _ => InboundState::Applied,
        };
        let outcome = outcome(&event, state, &applied, 1, author.at);
        let key = table::insert(db, &new(&event, author), &outcome)?;
        score::outdate(db, outcome.customer.as_slice())?;
        note_about(db, key, &event, &applied)?;
        Ok((answer(&event, state, applied, None, author), Change::Made))
    });
    let refused = match applied {
        Err(Fault::Refused(refused)) => refused,
        Ok((applied, Change::Made)) => {
            retry::follow(db, &applied, author);
            return Ok((applied, Change::Made));
        }
        other => return other,
    };
    write(db, |db| {
        if let Some(known) = known(db, &event)? {
            return Ok((known, Change::AlreadySo));
        }
        let applied = whose(db, &event)?;
        let outcome = refusal(db, &event, &applied, &refused, 1, author.at)?;
        table::insert(db, &new(&event, author), &outcome)?;
        score::outdate(db, outcome.customer.as_slice())?;
        let (state, again) = (InboundState::Refused, outcome.next_try_at);
        let kept = answer(&event, state, applied, Some(&refused), author);
        Ok((InboundEvent { next_try_at: again, ..kept }, Change::Made))
    })
}

/// What somebody says of an event whose payment or refund may be booked already.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// It is another one.
    pub another: bool,
    /// It is this one.
    pub same_as: Option<Id>,
}

/// Applies an event that was refused, by the mapping that the source has now.
pub fn retry<D: Db>(
    db: &D,
    source: &Stored,
    id: &Id,
    said: &Said,
    author: &Author,
) -> Result<(InboundEvent, Change), Fault> {
    retry_by(db, source, id, said, author, apply)
}

/// How what an event says is made.
type Apply<D> = fn(&D, &Event<'_>, &Author) -> Result<Applied, Fault>;

/// The same where it is known what such an event makes, so that nothing else has to be at hand.
fn retry_by<D: Db>(
    db: &D,
    source: &Stored,
    id: &Id,
    said: &Said,
    author: &Author,
    apply: Apply<D>,
) -> Result<(InboundEvent, Change), Fault> {
    let stored = table::get(db, source.key, id)?.ok_or_else(|| missing("event"))?;
    if stored.state == InboundState::Applied {
        return Ok((shown(source, stored), Change::AlreadySo));
    }
    let Some(body) = stored.body.clone() else {
        let detail = "the body of the event is gone";
        return Err(Fault::refused(Refusal::WrongState, detail));
    };
    let mut event = read(db, source, Some(stored.id.as_str()), &body)?;
    event.said = said.clone();
    // What is said now takes the place of what the event says itself.
    if let (Ok(Made::Payment(new)), true) =
        (&mut event.made, said.another || said.same_as.is_some())
    {
        new.another = said.another.then_some(true);
        new.same_as.clone_from(&said.same_as);
    }
    let tries = stored.tries.max(1).saturating_add(1);
    let applied = write(db, |db| {
        // Two runs may have found the same event.
        if table::get(db, source.key, id)?.is_none_or(|of| of.state == InboundState::Applied) {
            return Ok(());
        }
        let applied = apply(db, &event, author)?;
        let state = match &event.made {
            Ok(Made::Nothing) => InboundState::Kept,
            _ => InboundState::Applied,
        };
        let outcome = outcome(&event, state, &applied, tries, author.at);
        table::update(db, stored.key, &outcome)?;
        score::outdate(db, outcome.customer.as_slice())?;
        note_about(db, stored.key, &event, &applied)
    });
    if let Err(Fault::Refused(refused)) = &applied {
        write(db, |db| {
            if table::get(db, source.key, id)?.is_none_or(|of| of.state == InboundState::Applied) {
                return Ok(());
            }
            let whose = whose(db, &event)?;
            let outcome = refusal(db, &event, &whose, refused, tries, author.at)?;
            table::update(db, stored.key, &outcome)?;
            score::outdate(db, outcome.customer.as_slice())
        })?;
    } else {
        applied?;
    }
    Ok((get(db, source, id)?, Change::Replaced))
}

/// Reads the event as far as it must be readable to be kept.
fn read<'a, D: Db>(
    db: &D,
    source: &'a Stored,
    header_id: Option<&str>,
    body: &'a str,
) -> Result<Event<'a>, Fault> {
    let json = mapping::parse(body)?;
    let mapping = mapping::chosen(&source.document)?;
    mapping::one_event(&mapping, &json)?;
    let missing = || Refused::new(Refusal::MissingField, "the event has no id").at("webhook-id");
    let id = match mapping::id_of(&mapping, &json)? {
        Some(id) => id,
        None => header_id.ok_or_else(missing)?.parse()?,
    };
    let kind = mapping::kind_of(&mapping, &json)?;
    let rule = mapping::rule_for(&mapping, &json, &kind);
    let zone = organisation(db)?.time_zone;
    let made = rule.map_or(Ok(Made::Nothing), |rule| mapping::made(&mapping, rule, &json, &zone));
    // What is kept of a refusal has no field of its own.
    let made = made.map_err(|refused| {
        let place = refused.field.as_deref().unwrap_or_default();
        Refused { detail: format!("{place}: {}", refused.detail), ..refused }
    });
    let makes = rule.map(|rule| rule.makes);
    Ok(Event { source, id, kind, body, hash: sha256(&[body]), makes, made, said: Said::default() })
}

/// The event as it is known already. Refused when what is known under its id is another.
fn known<D: Db>(db: &D, event: &Event<'_>) -> Result<Option<InboundEvent>, Fault> {
    let Some((_, hash)) = table::find(db, event.source.key, &event.id)? else { return Ok(None) };
    if hash != event.hash {
        let detail = "the id is known with another body; nothing was changed";
        return Err(Refused::new(Refusal::DifferentContent, detail).at("body").into());
    }
    let stored = table::get(db, event.source.key, &event.id)?;
    Ok(stored.map(|stored| InboundEvent { body: None, ..shown(event.source, stored) }))
}

/// Makes what the event says, inside the transaction that keeps it.
fn apply<D: Db>(db: &D, event: &Event<'_>, author: &Author) -> Result<Applied, Fault> {
    let id = |id: &Option<Id>| id.clone().unwrap_or_else(|| event.id.clone());
    not_yet_to_come(db, event, author)?;
    match event.made.clone()? {
        Made::Nothing => Ok(Applied::default()),
        Made::Payment(new) => {
            let id = id(&new.id);
            payment::record(db, &id, &new, author)?;
            applied(db, &new.customer_id, Some(id.to_string()))
        }
        Made::Invoice(new) => {
            let id = id(&new.id);
            invoice::record(db, &id, &new, author)?;
            applied(db, &new.customer_id, Some(id.to_string()))
        }
        Made::Refund(_) => apply_refund(db, event, author),
        Made::Voided { invoice_id, on } => {
            let (customer_id, made) = void(db, &invoice_id, on, author)?;
            applied(db, &customer_id, made)
        }
        Made::Note(new) => {
            known_customer(db, &new.customer_id)?;
            let action = event.makes.map_or("note", EventAction::name);
            let said = serde_json::json!({
                "source": event.source.name, "event": event.id, "on": new.on, "subject": new.subject,
                "amount": new.amount, "reason": new.reason,
            });
            let about = new.customer_id.as_str();
            let what = Note::changed(action, "customer_event", about, None::<&Value>, Some(&said))?;
            let entry = audit::note(db, author, &what)?;
            feed::said(db, entry, &told(&new, event.makes))?;
            let made = new.subject.as_ref().map(ToString::to_string);
            let applied = applied(db, &new.customer_id, made)?;
            Ok(Applied { note: Some((new, entry)), ..applied })
        }
    }
}

/// As [`apply`], of events that make refunds. One that makes something else by now is left to the next run.
fn apply_refund<D: Db>(db: &D, event: &Event<'_>, author: &Author) -> Result<Applied, Fault> {
    let Ok(Made::Refund(refund)) = &event.made else {
        return Err(Fault::Db(format!("{} makes no refund any more", event.id)));
    };
    not_yet_to_come(db, event, author)?;
    let (customer_id, made) = give_back(db, refund, &event.said, author)?;
    applied(db, &customer_id, made)
}

fn applied<D: Db>(db: &D, customer_id: &Id, made: Option<String>) -> Result<Applied, Fault> {
    let customer = customer::key(db, customer_id)?;
    Ok(Applied { customer, customer_id: Some(customer_id.clone()), made, note: None })
}

/// Money goes back. Of a source that counts what went back altogether, only what is new of it.
fn give_back<D: Db>(
    db: &D,
    refund: &Refund,
    said: &Said,
    author: &Author,
) -> Result<(Id, Option<String>), Fault> {
    let unknown = || {
        let detail = format!("no payment has the id {}", refund.payment_id);
        Refused::new(Refusal::UnknownPayment, detail).at("payment_id")
    };
    let paid = payments::get(db, &refund.payment_id, Date::LAST, i64::MAX)?.ok_or_else(unknown)?;
    let of = payment::Known::under(db, &refund.payment_id)?;
    let minor = match refund.back {
        Back::All => None,
        Back::Part(amount) | Back::UpTo(amount) if amount.currency != paid.currency => {
            let detail = format!("the payment is in {}", paid.currency);
            return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("currency").into());
        }
        Back::Part(amount) => Some(of.costs(amount.minor)),
        Back::UpTo(total) => {
            let (item, name) = (&of.item, of.name.as_ref());
            let before = reversal::refunded(db, item.key, name)?;
            let more = of.costs(total.minor).saturating_sub(before);
            let share = name.map(|name| payments::share(db, name)).transpose()?.flatten();
            // What the bank kept of the payment went back with the last of it.
            let kept = share.is_some_and(|of| more <= of.fee)
                && payment::gone(db, item.key)? >= item.amount_minor;
            let more = if kept { 0 } else { more };
            // Whatever the total came to, a debit may be in it.
            if more > 0 && said.same_as.is_none() && !said.another {
                let within = reversal::booked_within(db, item.key, more, refund.on)?;
                if let Some(debit) = within {
                    return Err(payment::names::perhaps(&debit).into());
                }
            }
            Some(more)
        }
    };
    if minor.is_some_and(|minor| minor < 1) {
        return Ok((paid.customer_id, None));
    }
    let new = NewReversal {
        id: Some(refund.id.clone()),
        on: Some(refund.on),
        kind: ReversalKind::Refund,
        minor,
        reason: None,
        same_as: said.same_as.clone(),
        another: said.another.then_some(true),
    };
    payment::back_of(db, &of, &refund.id, &new, author)?;
    Ok((paid.customer_id, Some(refund.id.to_string())))
}

/// Makes a document void. What was paid of it stays paid.
fn void<D: Db>(db: &D, id: &Id, on: Date, author: &Author) -> Result<(Id, Option<String>), Fault> {
    let change = invoice::make_void(db, id, on, author)?;
    let customer = documents::find(db, id.as_str())?.map_or(0, |found| found.2);
    let range = Range { after: customer.saturating_sub(1), upto: customer };
    let found = customer::limits(db, range)?.pop().ok_or_else(|| missing("customer"))?;
    Ok((found.1, (change == Change::Made).then(|| invoice::void_name(id))))
}

/// What happened has happened: money of a day that has not come is none yet.
fn not_yet_to_come<D: Db>(db: &D, event: &Event<'_>, author: &Author) -> Result<(), Fault> {
    let (day, field) = match &event.made {
        Ok(Made::Payment(new)) => (new.received_on, "received_on"),
        Ok(Made::Refund(refund)) => (refund.on, "on"),
        Ok(Made::Voided { on, .. }) => (*on, "on"),
        Ok(Made::Note(note)) => (note.on, "on"),
        Ok(Made::Invoice(_) | Made::Nothing) | Err(_) => return Ok(()),
    };
    Ok(not_in_future(day, today(db, author.at)?, field)?)
}

/// What the feed says of something to know about a customer: nothing else but the audit chain has it.
fn told(of: &mapping::Note, makes: Option<EventAction>) -> EventData {
    let (payment_id, mandate_id) = match makes {
        Some(EventAction::MandateCancelled) => (None, of.subject.clone()),
        _ => (of.subject.clone(), None),
    };
    EventData {
        payment_id,
        mandate_id,
        day: Some(of.on),
        minor: of.amount.map(|amount| amount.minor),
        currency: of.amount.map(|amount| amount.currency),
        reason: of.reason.clone().filter(|text| is_code(text)),
        ..crate::event::nothing()
    }
}

fn note_about<D: Db>(
    db: &D,
    inbound: i64,
    event: &Event<'_>,
    applied: &Applied,
) -> Result<(), Fault> {
    let (Some((of, entry)), Some(customer), Some(kind)) =
        (&applied.note, applied.customer, event.makes)
    else {
        return Ok(());
    };
    let about = About {
        customer,
        on: of.on,
        kind,
        subject: of.subject.as_ref().map(Id::as_str),
        amount: of.amount,
        reason: of.reason.as_deref(),
        entry: *entry,
    };
    table::insert_about(db, inbound, &about)
}

/// The customer that a refused event names, where it is there: an erasure has to find it.
fn whose<D: Db>(db: &D, event: &Event<'_>) -> Result<Applied, Fault> {
    let id = match &event.made {
        Ok(Made::Payment(new)) => Some(new.customer_id.clone()),
        Ok(Made::Invoice(new)) => Some(new.customer_id.clone()),
        Ok(Made::Note(new)) => Some(new.customer_id.clone()),
        Ok(Made::Refund(refund)) => {
            payments::get(db, &refund.payment_id, Date::LAST, i64::MAX)?.map(|of| of.customer_id)
        }
        _ => None,
    };
    let Some(id) = id else { return Ok(Applied::default()) };
    let customer = customer::key(db, &id)?;
    Ok(Applied { customer, customer_id: customer.map(|_| id), ..Applied::default() })
}

fn new<'a>(event: &'a Event<'_>, author: &Author) -> New<'a> {
    New {
        source: event.source.key,
        id: &event.id,
        kind: &event.kind,
        body: event.body,
        hash: &event.hash,
        at: author.at,
    }
}

fn outcome<'a>(
    event: &Event<'_>,
    state: InboundState,
    applied: &'a Applied,
    tries: u32,
    at: Instant,
) -> Outcome<'a> {
    Outcome {
        state,
        makes: event.makes,
        customer: applied.customer,
        made: applied.made.as_deref(),
        code: None,
        detail: None,
        tries,
        at,
        next_try_at: None,
        waits_for: None,
    }
}

fn refusal<'a, D: Db>(
    db: &D,
    event: &'a Event<'_>,
    applied: &'a Applied,
    refused: &'a Refused,
    tries: u32,
    at: Instant,
) -> Result<Outcome<'a>, Fault> {
    let named = awaited(event, refused.code);
    let waits_for = match named {
        Some(record) if !record.is_there(db)? => named,
        // It is there and does not fit: nothing that comes would change that.
        _ => None,
    };
    Ok(Outcome {
        code: Some(refused.code),
        detail: Some(&refused.detail),
        next_try_at: retry::next(refused.code, tries, at),
        waits_for,
        ..outcome(event, InboundState::Refused, applied, tries, at)
    })
}

/// What an event names that is refused as unknown.
fn awaited<'a>(event: &'a Event<'_>, code: Refusal) -> Option<Awaited<'a>> {
    use Refusal::{UnknownContract, UnknownCustomer, UnknownInvoice, UnknownPayment};
    let made = event.made.as_ref().ok()?;
    match (code, made) {
        (UnknownCustomer, Made::Payment(new)) => Some(Awaited::Customer(&new.customer_id)),
        (UnknownCustomer, Made::Invoice(new)) => Some(Awaited::Customer(&new.customer_id)),
        (UnknownCustomer, Made::Note(new)) => Some(Awaited::Customer(&new.customer_id)),
        (UnknownInvoice, Made::Payment(new)) => new.invoice_id.as_ref().map(Awaited::Invoice),
        (UnknownInvoice, Made::Invoice(new)) => new.relates_to.as_ref().map(Awaited::Invoice),
        (UnknownInvoice, Made::Voided { invoice_id, .. }) => Some(Awaited::Invoice(invoice_id)),
        (UnknownPayment, Made::Payment(new)) => new.same_as.as_ref().map(Awaited::Payment),
        (UnknownPayment, Made::Refund(refund)) => Some(Awaited::Payment(&refund.payment_id)),
        (UnknownContract, Made::Invoice(new)) => new.contract_id.as_ref().map(Awaited::Contract),
        _ => None,
    }
}

fn answer(
    event: &Event<'_>,
    state: InboundState,
    applied: Applied,
    refused: Option<&Refused>,
    author: &Author,
) -> InboundEvent {
    InboundEvent {
        source: event.source.name.clone(),
        id: event.id.clone(),
        kind: event.kind.clone(),
        received_at: author.at,
        state,
        makes: event.makes,
        customer_id: applied.customer_id,
        made: applied.made,
        code: refused.map(|refused| refused.code),
        detail: refused.map(|refused| refused.detail.clone()),
        tries: 1,
        next_try_at: None,
        body: None,
    }
}

fn shown(source: &Stored, item: Item) -> InboundEvent {
    InboundEvent {
        source: source.name.clone(),
        id: item.id,
        kind: item.kind,
        received_at: item.received_at,
        state: item.state,
        makes: item.makes,
        customer_id: item.customer_id,
        made: item.made,
        code: item.code,
        detail: item.detail,
        tries: item.tries,
        next_try_at: item.next_try_at,
        body: item.body,
    }
}

/// The source of this name, as it is stored.
pub fn source<D: Db>(db: &D, name: &Id) -> Result<Stored, Fault> {
    dunlin_store::event_source::get(db, name)?.ok_or_else(|| missing("source"))
}

/// The event of this id with its body.
pub fn get<D: Db>(db: &D, source: &Stored, id: &Id) -> Result<InboundEvent, Fault> {
    let item = table::get(db, source.key, id)?.ok_or_else(|| missing("event"))?;
    Ok(shown(source, item))
}

/// A source's events in the order they came, each with its place.
pub fn page<D: Db>(
    db: &D,
    source: &Stored,
    after: i64,
    limit: u32,
    state: Option<InboundState>,
) -> Result<Vec<(InboundEvent, i64)>, Fault> {
    let items = table::page(db, source.key, after, limit, state)?;
    let placed = |item: Item| {
        let key = item.key;
        (shown(source, item), key)
    };
    Ok(items.into_iter().map(placed).collect())
}

/// Takes the bodies out of events that are older than they are kept.
pub fn forget_old_bodies<D: Db>(db: &D, now: Instant) -> Result<(), Fault> {
    let before = now.plus_seconds(-RETENTION_SECONDS);
    write(db, |db| table::forget_bodies(db, before, FORGOTTEN))
}
