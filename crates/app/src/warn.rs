//! Warnings: customers are judged by the rules in force, by a sweep as a whole and between sweeps as things happen.
//!
//! Between sweeps nothing is marked by those who write. The order of events says what happened since the last look, and
//! the customers of that are judged anew; where a file brought more than can be looked at, the sweep does it.

use crate::{alert_rule, card::Cards, event as feed, ledger, score::made_id};
use dunlin_domain::{
    Currency, Date, Id, Instant, Money,
    alert::{self, Finding, Key, Live, Position, Sample, Values},
    card::NOTCHES,
    contract::{
        events::EventData,
        warn::{AlertRule, Judged, TermKind, WatchedEvent},
    },
    event::Place,
    facts::combine,
};
use dunlin_store::{
    Db, Fault, alert as table,
    arrears::{self, Range},
    customer, event, facts as sums, score, sweep, write,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Customers between two that are judged, at the most, for them to be read together.
const NEAR: i64 = 8;

/// Customers that one run judges between sweeps: a second or two.
const RUN: usize = 400;

/// How many days may have gone by since the last sweep. While sweeps catch up with older days, they alone judge.
const BEHIND_DAYS: i64 = 2;

/// How many changes may wait to be looked at. What a large file brought is left to the sweep.
const MOST_WAITING: i64 = 5_000;

/// How many documents, payments and allocations may.
const MOST_ROWS: i64 = 20_000;

/// What all customers owe, by currency: outstanding, and how many owe.
type Book = HashMap<Currency, (i64, u32)>;

/// What customers are judged against.
#[derive(Debug, Default)]
pub struct Ground {
    /// The rules in force.
    pub rules: Vec<AlertRule>,
    book: Book,
}

impl Ground {
    /// The rules in force and what all customers owe.
    pub fn read<D: Db>(db: &D) -> Result<Self, Fault> {
        Ok(Self { rules: alert_rule::in_force(db)?, book: book(db)? })
    }

    /// One rule, and no book.
    pub(crate) fn of(rule: AlertRule) -> Self {
        Self { rules: vec![rule], book: Book::new() }
    }

    /// The first day on which an event counts for any rule.
    pub(crate) fn events_from(&self, day: Date) -> Date {
        let events = self.rules.iter().flat_map(|of| &of.rule.terms);
        let events = events.filter(|term| term.kind == TermKind::Event);
        let days = events.map(|term| term.days.unwrap_or(30)).max().unwrap_or(0);
        day.plus_days(1i64.saturating_sub(days.into())).unwrap_or(Date::FIRST)
    }
}

fn book<D: Db>(db: &D) -> Result<Book, Fault> {
    Ok(arrears::book(db)?
        .into_iter()
        .map(|(currency, minor, owing)| (currency, (minor, owing)))
        .collect())
}

/// Somebody that is judged: the key, the id, and where it stands.
struct Judging {
    key: i64,
    id: Id,
    position: Position,
}

/// Judges the customers of the range and says how many alerts opened and closed. Runs inside a slice of the sweep.
pub(crate) fn judge<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    ground: &Ground,
    at: Instant,
) -> Result<(u64, u64), Fault> {
    let warned_on = sweep::warned_before(db, day)?;
    let mut owed: HashMap<i64, Vec<arrears::Owed>> = HashMap::new();
    for row in arrears::of_range(db, range, day)? {
        owed.entry(row.0).or_default().push(row);
    }
    let mut happened = happened(db, range, day, ground)?;
    let (mut judging, mut events) = (Vec::new(), Vec::new());
    for (key, id, minor, currency, grade_now, grade_before, notches, facts) in
        table::positions(db, range, day, false)?
    {
        if let (Some(before), Some(now)) = (grade_before, grade_now)
            && before != now
        {
            let data = EventData {
                state: Some(now.name().into()),
                before: Some(before.name().into()),
                ..feed::nothing()
            };
            events.push(("grade.changed", key, id.clone(), data));
        }
        let owed = owed.remove(&key).unwrap_or_default();
        let position = Position {
            facts: facts.unwrap_or_default(),
            events: happened.remove(&key).unwrap_or_default(),
            overdue_before: overdue_before(&owed, warned_on),
            grade_before,
            grade_now,
            notch_now: notches.0,
            notch_before: notches.1,
            notches: notches.2,
            limit: minor.zip(currency).map(|(minor, currency)| Money { minor, currency }),
            owed: owed.iter().map(|of| beside(of.1, of.2, of.3, &ground.book)).collect(),
            ..Position::on(day)
        };
        judging.push(Judging { key, id, position });
    }
    event::add_all(db, &events, at)?;
    settle(db, range, day, ground, judging, at)
}

fn overdue_before(owed: &[arrears::Owed], warned_on: Option<Date>) -> bool {
    owed.iter().any(|of| of.5.is_some_and(|since| Some(since) <= warned_on))
}

fn beside(
    currency: Currency,
    outstanding_minor: i64,
    overdue_minor: i64,
    book: &Book,
) -> alert::Owed {
    let (book_minor, book_customers) = book.get(&currency).copied().unwrap_or((0, 0));
    alert::Owed { currency, outstanding_minor, overdue_minor, book_minor, book_customers }
}

type Happened = HashMap<i64, BTreeMap<WatchedEvent, Date>>;

/// The last day of each event of the range that any rule looks for.
pub(crate) fn happened<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    ground: &Ground,
) -> Result<Happened, Fault> {
    let mut found = Happened::new();
    for (customer, event, on) in table::events(db, range, day, ground.events_from(day))? {
        let last = found.entry(customer).or_default().entry(event).or_insert(on);
        *last = on.max(*last);
    }
    Ok(found)
}

/// Compares where customers stand with their alerts, and records what comes of it.
fn settle<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    ground: &Ground,
    judging: Vec<Judging>,
    at: Instant,
) -> Result<(u64, u64), Fault> {
    let wanted = alert::facts_needed(&ground.rules);
    let mut samples: HashMap<i64, Vec<Sample>> = if wanted.is_empty() {
        HashMap::new()
    } else {
        table::samples(db, range)?.into_iter().collect()
    };
    let mut live: HashMap<i64, Vec<Live>> = HashMap::new();
    for (customer, alert) in table::of_range(db, range)? {
        live.entry(customer).or_default().push(alert);
    }
    let mut waiting: HashMap<i64, Vec<(Key, Date)>> = HashMap::new();
    for (customer, waits) in table::waiting(db, range)? {
        waiting.entry(customer).or_default().push(waits);
    }
    let (mut opening, mut ending, mut rising) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keeping, mut waits, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
    for Judging { key, id, mut position } in judging {
        position.samples = samples.remove(&key).unwrap_or_default();
        let (live, waiting) =
            (live.remove(&key).unwrap_or_default(), waiting.remove(&key).unwrap_or_default());
        let step = alert::judge(&ground.rules, &position, &live, &waiting);
        for finding in step.to_open {
            opening.push((alert_id(&id, &finding.key, day)?, key, finding));
        }
        ending.extend(step.to_end.into_iter().map(|of| (key, of)));
        rising.extend(step.to_escalate.into_iter().map(|of| (key, of)));
        waits.extend(step.to_wait.into_iter().map(|of| (key, of)));
        forgotten.extend(step.to_forget.into_iter().map(|of| (key, of)));
        let kept = alert::add_sample(&position.samples, day, &position.facts, &wanted);
        keeping.extend(kept.map(|samples| (key, samples)));
    }
    let opened = opening.iter().map(|(id, key, finding): &(Id, i64, Finding)| {
        let state = Some(finding.kind.name().into());
        ("alert.opened", *key, id.clone(), EventData { state, ..feed::nothing() })
    });
    event::add_all(db, &opened.collect::<Vec<_>>(), at)?;
    table::end_all(db, &ending, day, at)?;
    table::escalate_all(db, &rising, day, at)?;
    table::open_all(db, &opening, day)?;
    table::forget_all(db, &forgotten)?;
    table::wait_all(db, &waits)?;
    table::put_samples(db, &keeping)?;
    let count = |len| u64::try_from(len).unwrap_or(0);
    Ok((count(opening.len()), count(ending.len())))
}

/// The same alert has the same id, so that a sweep that is cut and resumed ends in the same state.
fn alert_id(customer: &Id, (rule, currency): &Key, day: Date) -> Result<Id, Fault> {
    let currency = currency.map_or(String::new(), |currency| currency.to_string());
    made_id("A", &[customer.as_str(), rule, &currency, &day.to_string()])
}

/// Judges the customers to whom something happened since the last look. A sweep that is under way or behind judges
/// everybody.
pub fn run<D: Db>(db: &D, now: Instant) -> Result<Judged, Fault> {
    let nothing = Judged { customers: 0, opened: 0, closed: 0, done: true };
    let day = ledger::today(db, now)?;
    match sweep::latest(db)? {
        Some(last) if last.done && (0..=BEHIND_DAYS).contains(&day.days_since(last.day)) => {}
        _ => return Ok(nothing),
    }
    let from = match table::position(db)? {
        Some(position) => position.parse()?,
        None => Place::FIRST,
    };
    let end = feed::end(db)?;
    if far_behind(db, from, end)? {
        write(db, |db| table::set_position(db, &end.to_string()))?;
        return Ok(nothing);
    }
    let (mut reached, mut more) = (from, true);
    let (mut customers, mut of_others) = (BTreeSet::new(), Vec::new());
    while more && customers.len() < RUN {
        let stretch = feed::after(db, reached)?;
        (reached, more) = (stretch.reached, stretch.more);
        let matters = stretch.events.iter().filter(|of| matters(&of.event.kind));
        for (of, key) in matters.filter_map(|of| Some((of, of.customer_key?))) {
            customers.insert(key);
            if concerns_others(&of.event.kind) {
                of_others.push(key);
            }
        }
    }
    if reached == from {
        return Ok(nothing);
    }
    if !of_others.is_empty() {
        customers.extend(customer::around(db, &of_others)?);
    }
    write(db, |db| {
        let (ground, cards) = (Ground::read(db)?, Cards::in_force(db, day)?);
        let mut judged = Judged { customers: 0, opened: 0, closed: 0, done: !more };
        for range in ranges(&customers) {
            let (seen, opened, closed) =
                between(db, range, &customers, day, (&ground, &cards), now)?;
            judged.customers = judged.customers.saturating_add(seen);
            judged.opened = judged.opened.saturating_add(opened);
            judged.closed = judged.closed.saturating_add(closed);
        }
        table::set_position(db, &reached.to_string())?;
        Ok(judged)
    })
}

/// Whether so much waits that only a sweep can look at it.
fn far_behind<D: Db>(db: &D, from: Place, end: Place) -> Result<bool, Fault> {
    if end.event.saturating_sub(from.event) > MOST_WAITING {
        return Ok(true);
    }
    let Some(first) = event::headers(db, from.event.saturating_add(1), 1)?.pop() else {
        return Ok(false);
    };
    let now = event::marks(db)?;
    let rows = now
        .invoices
        .saturating_sub(first.marks.invoices)
        .saturating_add(now.payments.saturating_sub(first.marks.payments))
        .saturating_add(now.allocations.saturating_sub(first.marks.allocations));
    Ok(rows > MOST_ROWS)
}

/// What changes where a customer stands. What came of judging it does not.
fn matters(kind: &str) -> bool {
    !["alert.", "alert-rule.", "notice.", "watch.", "grade.", "webhook."]
        .iter()
        .any(|noun| kind.starts_with(noun))
}

/// What happens to one customer and changes where the others of its group stand, or its duplicate.
fn concerns_others(kind: &str) -> bool {
    kind.starts_with("default.") || kind == "customer.merged"
}

/// The customers as ranges to read, each without a wide gap.
fn ranges(customers: &BTreeSet<i64>) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for key in customers {
        match ranges.last_mut() {
            Some(last) if key.saturating_sub(last.upto) <= NEAR => last.upto = *key,
            _ => ranges.push(Range { after: key.saturating_sub(1), upto: *key }),
        }
    }
    ranges
}

/// Judges those customers of a range by what is known now; how many, and how many alerts opened and closed.
fn between<D: Db>(
    db: &D,
    range: Range,
    wanted: &BTreeSet<i64>,
    day: Date,
    (ground, cards): (&Ground, &Cards),
    at: Instant,
) -> Result<(u64, u64, u64), Fault> {
    let warned_on = sweep::warned_before(db, day)?;
    let mut owed: HashMap<i64, Vec<arrears::Owed>> = HashMap::new();
    for row in arrears::last_of_range(db, range)? {
        owed.entry(row.0).or_default().push(row);
    }
    let mut known = sums::of_range(db, range, day)?;
    let mut happened = happened(db, range, day, ground)?;
    let mut parts: HashMap<i64, Option<u32>> =
        table::positions(db, range, day, true)?.into_iter().map(|of| (of.0, of.6.0)).collect();
    let mut judging = Vec::new();
    for (key, id, minor, currency, segment, _, before) in score::to_judge(db, range)? {
        if !wanted.contains(&key) {
            continue;
        }
        let limit = minor.zip(currency).map(|(minor, currency)| Money { minor, currency });
        let known = known.remove(&key).unwrap_or_default();
        let owing = known.owing.iter().map(|of| {
            let overdue = of.overdue_minor.iter().fold(0i64, |sum, of| sum.saturating_add(*of));
            beside(of.currency, of.outstanding_minor, overdue, &ground.book)
        });
        // Who was never asked to pay anything is not scored, and its facts are left out there too.
        let scored = known.known.first_on.is_some();
        let facts = scored.then(|| combine(&id, day, &known, limit));
        // The grade as it is by now stands against the one of the last sweep.
        let card = cards.of(segment.as_deref());
        let standing = facts.as_ref().and_then(|facts| card.judge(facts));
        let (grade_before, model) =
            before.map_or((None, None), |(_, grade, _, model)| (grade, Some(model)));
        let same_card = model.as_ref() == Some(&card.model);
        let position = Position {
            facts: facts.as_ref().map(values).unwrap_or_default(),
            events: happened.remove(&key).unwrap_or_default(),
            overdue_before: overdue_before(&owed.remove(&key).unwrap_or_default(), warned_on),
            grade_before,
            grade_now: standing.map(|of| of.grade),
            notch_now: standing.map(|of| of.notch),
            notch_before: parts.remove(&key).flatten().filter(|_| same_card),
            notches: Some(card.document.notches.unwrap_or(NOTCHES)),
            limit,
            owed: owing.collect(),
            ..Position::on(day)
        };
        judging.push(Judging { key, id, position });
    }
    let seen = u64::try_from(judging.len()).unwrap_or(0);
    let (opened, closed) = settle(db, range, day, ground, judging, at)?;
    Ok((seen, opened, closed))
}

/// Facts by name.
pub(crate) fn values(facts: &dunlin_domain::contract::score::Facts) -> Values {
    facts.values.iter().map(|fact| (fact.name, fact.value)).collect()
}
