//! The feed of what happened. Nothing is written for it but one short row a change: what the change led to is read
//! where the ledger has it, and reads the same each time, because the ledger only adds.

use dunlin_domain::{
    Id, Instant, Refusal, Refused,
    contract::{
        events::{Event, EventData, EventFeed},
        types::InvoiceKind,
    },
    event::{Place, Rank, is_wanted, kind_of},
};
use dunlin_store::{
    Db, Fault,
    event::{self, Allocated, Document, Header, Paid, Span, Stretch},
    read,
};
use std::collections::BTreeMap;

/// Changes looked at for one stretch of the feed.
const CHANGES: usize = 500;

/// Rows of the ledger looked at for one stretch: some tens of milliseconds, however many of them are wanted.
const ROWS: i64 = 2_000;

/// Stretches that one request reads while its filter leaves nothing.
const STRETCHES: u32 = 10;

/// An event with its place and its customer.
#[derive(Clone, Debug)]
pub struct Placed {
    pub place: Place,
    pub customer_key: Option<i64>,
    pub event: Event,
}

/// Everything that happened between two places.
#[derive(Clone, Debug)]
pub struct Stretched {
    pub events: Vec<Placed>,
    /// Up to where everything was looked at.
    pub reached: Place,
    /// Whether something follows.
    pub more: bool,
}

/// An event of which nothing is said.
pub fn nothing() -> EventData {
    EventData {
        invoice_id: None,
        payment_id: None,
        mandate_id: None,
        credit_note_id: None,
        day: None,
        due_on: None,
        minor: None,
        currency: None,
        open_minor: None,
        state: None,
        outcome: None,
        upheld_minor: None,
        before: None,
        reason: None,
        rule: None,
        severity: None,
        order_id: None,
        verdict: None,
        rules: None,
        reservation_id: None,
        entry: None,
    }
}

/// The events after a place, of these kinds and of this customer where one is given.
pub fn feed<D: Db>(
    db: &D,
    after: Place,
    limit: usize,
    kinds: &[String],
    customer: Option<&Id>,
) -> Result<EventFeed, Fault> {
    has_come(db, after)?;
    let (mut items, mut next, mut more) = (Vec::new(), after, true);
    for _ in 0..STRETCHES {
        let stretch = self::after(db, next)?;
        (next, more) = (stretch.reached, stretch.more);
        let wanted = |of: &Placed| {
            is_wanted(&of.event.kind, kinds)
                && customer.is_none_or(|id| of.event.customer_id.as_ref() == Some(id))
        };
        for of in stretch.events.into_iter().filter(wanted) {
            if items.len() == limit {
                let last: &Placed = match items.last() {
                    Some(last) => last,
                    None => break,
                };
                (next, more) = (last.place, true);
                break;
            }
            items.push(of);
        }
        if items.len() == limit || !more {
            break;
        }
    }
    let items = items.into_iter().map(|of| of.event).collect();
    Ok(EventFeed { items, next: next.to_string(), more })
}

/// Refuses a place behind the end: whoever goes on there would miss what happens until the end has come to it.
pub(crate) fn has_come<D: Db>(db: &D, place: Place) -> Result<(), Fault> {
    if place > end(db)? {
        let code = Refusal::CursorUnknown;
        return Err(Refused::new(code, code.about()).at("after").into());
    }
    Ok(())
}

/// The place after everything that has happened.
pub fn end<D: Db>(db: &D) -> Result<Place, Fault> {
    let row = event::marks(db)?.allocations;
    Ok(Place { event: event::last_key(db)?, rank: Rank::Allocation, row, part: u8::MAX })
}

/// The next stretch of the feed, as of one moment.
pub fn after<D: Db>(db: &D, after: Place) -> Result<Stretched, Fault> {
    read(db, |db| stretch(db, after))
}

/// What of the ledger a stretch reads.
#[derive(Default)]
struct Spans {
    customers: Vec<Span>,
    invoices: Vec<Span>,
    payments: Vec<Span>,
    allocations: Vec<Stretch>,
}

fn stretch<D: Db>(db: &D, after: Place) -> Result<Stretched, Fault> {
    let most = i64::try_from(CHANGES).unwrap_or(i64::MAX).saturating_add(1);
    let headers = event::headers(db, after.event, most)?;
    let now = event::marks(db)?;
    let (mut spans, mut reached) = (Spans::default(), after);
    let (mut left, mut more) = (ROWS, headers.len() > CHANGES);
    'all: for (place, header) in headers.iter().enumerate().take(CHANGES) {
        let upto = headers.get(place.saturating_add(1)).map_or(now, |next| next.marks);
        reached = reached.max(Place::of(header.key));
        let from = header.marks;
        for (rank, from, upto) in [
            (Rank::Customer, header.customers.0, header.customers.1),
            (Rank::Invoice, from.invoices, upto.invoices),
            (Rank::Payment, from.payments, upto.payments),
            (Rank::Allocation, from.allocations, upto.allocations),
        ] {
            let first = match (header.key == after.event, rank.cmp(&after.rank)) {
                // The row itself is read again: another event about it may follow.
                (true, std::cmp::Ordering::Equal) => from.max(after.row.saturating_sub(1)),
                (true, std::cmp::Ordering::Less) => continue,
                _ => from,
            };
            let last = upto.min(first.saturating_add(left));
            if last <= first {
                more |= upto > first;
                continue;
            }
            let span = (header.key, first, last);
            match rank {
                Rank::Change => {}
                Rank::Customer => spans.customers.push(span),
                Rank::Invoice => spans.invoices.push(span),
                Rank::Payment => spans.payments.push(span),
                Rank::Allocation => {
                    spans.allocations.push((header.key, first, last, from, upto));
                }
            }
            left = left.saturating_sub(last.saturating_sub(first));
            reached = reached.max(Place { event: header.key, rank, row: last, part: u8::MAX });
            if last < upto || left == 0 {
                more |= last < upto
                    || place.saturating_add(1) < headers.len()
                    || rank != Rank::Allocation;
                break 'all;
            }
        }
    }
    let mut events = told(db, &headers, &spans)?;
    events.retain(|of| of.place > after && of.place <= reached);
    events.sort_by_key(|of| of.place);
    Ok(Stretched { events, reached, more })
}

fn told<D: Db>(db: &D, headers: &[Header], spans: &Spans) -> Result<Vec<Placed>, Fault> {
    let moments: BTreeMap<i64, Instant> = headers.iter().map(|of| (of.key, of.at)).collect();
    let mut events: Vec<Placed> = headers.iter().filter_map(change).collect();
    for (change, key, id, owner, owner_id) in event::customers(db, &spans.customers)? {
        let event = Told {
            place: Place { event: change, rank: Rank::Customer, row: key, part: 0 },
            kind: "customer.created".into(),
            customer: Some((owner, owner_id)),
            subject: Some(id.to_string()),
            data: nothing(),
        };
        events.extend(event.at(&moments));
    }
    for row in event::invoices(db, &spans.invoices)? {
        events.extend(document(row).at(&moments));
    }
    for row in event::payments(db, &spans.payments)? {
        events.extend(paid(row).at(&moments));
    }
    for row in event::allocations(db, &spans.allocations)? {
        let (allocated, turned) = allocated(row);
        events.extend(allocated.at(&moments));
        events.extend(turned.and_then(|of| of.at(&moments)));
    }
    Ok(events)
}

/// An event before its moment is found.
struct Told {
    place: Place,
    kind: String,
    customer: Option<(i64, Id)>,
    subject: Option<String>,
    data: EventData,
}

impl Told {
    fn at(self, moments: &BTreeMap<i64, Instant>) -> Option<Placed> {
        let at = *moments.get(&self.place.event)?;
        let (customer_key, customer_id) = self.customer.unzip();
        let event = Event {
            id: self.place.to_string(),
            kind: self.kind,
            at,
            customer_id,
            subject: self.subject,
            data: self.data,
        };
        Some(Placed { place: self.place, customer_key, event })
    }
}

fn entry(key: Option<i64>) -> Option<u64> {
    key.and_then(|key| u64::try_from(key).ok())
}

/// The change itself, where it is told.
fn change(of: &Header) -> Option<Placed> {
    let kind = match (&of.kind, &of.change) {
        (Some(kind), _) => kind.clone(),
        (None, Some((noun, _))) if noun == "write_off" && of.booked => "write-off.booked".into(),
        (None, Some((noun, action))) => kind_of(noun, action)?,
        (None, None) => return None,
    };
    let data = EventData { entry: entry(of.entry), ..of.data.clone().unwrap_or_else(nothing) };
    let told = Told {
        place: Place::of(of.key),
        kind,
        customer: of.customer_key.zip(of.customer_id.clone()),
        subject: of.subject.clone(),
        data,
    };
    told.at(&BTreeMap::from([(of.key, of.at)]))
}

fn document(row: Document) -> Told {
    let (change, key, id, kind, customer, customer_id, issued_on, due_on, minor, currency, by) =
        row;
    let kind = match kind {
        InvoiceKind::Invoice => "invoice.created",
        InvoiceKind::CreditNote => "credit-note.created",
        InvoiceKind::InterestNote => "interest-note.created",
        InvoiceKind::Fee => "fee.created",
    };
    Told {
        place: Place { event: change, rank: Rank::Invoice, row: key, part: 0 },
        kind: kind.into(),
        customer: Some((customer, customer_id)),
        subject: Some(id.to_string()),
        data: EventData {
            invoice_id: Some(id),
            day: Some(issued_on),
            due_on: Some(due_on),
            minor: Some(minor),
            currency: Some(currency),
            entry: entry(by),
            ..nothing()
        },
    }
}

fn paid((change, key, id, customer, customer_id, day, minor, currency, by): Paid) -> Told {
    Told {
        place: Place { event: change, rank: Rank::Payment, row: key, part: 0 },
        kind: "payment.recorded".into(),
        customer: Some((customer, customer_id)),
        subject: Some(id.to_string()),
        data: EventData {
            payment_id: Some(id),
            day: Some(day),
            minor: Some(minor),
            currency: Some(currency),
            entry: entry(by),
            ..nothing()
        },
    }
}

/// The allocation, and with the last of a change whether the document is settled by it or open again.
fn allocated(row: Allocated) -> (Told, Option<Told>) {
    let (change, key, customer, customer_id, invoice_id, payment_id, credit_id, difference, ..) =
        &row;
    let (_, _, _, _, _, _, _, _, day, minor, currency, by, (open, moved, last)) = &row;
    let place = Place { event: *change, rank: Rank::Allocation, row: *key, part: 0 };
    let customer = Some((*customer, customer_id.clone()));
    let subject = invoice_id.as_ref().or(credit_id.as_ref()).or(payment_id.as_ref());
    let subject = subject.map(ToString::to_string);
    let data = EventData {
        invoice_id: invoice_id.clone(),
        payment_id: payment_id.clone(),
        credit_note_id: credit_id.clone(),
        day: Some(*day),
        minor: Some(*minor),
        currency: *currency,
        open_minor: *open,
        state: difference.map(|difference| difference.name().into()),
        entry: entry(*by),
        ..nothing()
    };
    let turned = match open {
        Some(open) if *last != 0 => match (*open == 0, open.saturating_add(*moved) == 0) {
            (true, false) => Some("invoice.settled"),
            (false, true) => Some("invoice.reopened"),
            _ => None,
        },
        _ => None,
    };
    let turned = turned.map(|kind| Told {
        place: Place { part: 1, ..place },
        kind: kind.into(),
        customer: customer.clone(),
        subject: subject.clone(),
        data: EventData {
            invoice_id: invoice_id.clone(),
            day: Some(*day),
            currency: *currency,
            open_minor: *open,
            entry: entry(*by),
            ..nothing()
        },
    });
    let kind = match (&invoice_id, &credit_id) {
        (Some(_), _) => "allocation.recorded",
        (None, Some(_)) => "credit-note.returned",
        (None, None) => "payment.returned",
    };
    (Told { place, kind: kind.into(), customer, subject, data }, turned)
}
