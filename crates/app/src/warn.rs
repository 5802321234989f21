//! Warnings: customers are judged by the rules in force, by a sweep as a whole and between sweeps as things happen.
//!
//! Between sweeps nothing is marked by those who write. The order of events says what happened since the last look, and
//! the customers of that are judged anew; where a file brought more than can be looked at, the sweep does it.

use crate::{alert_rule, card::Cards, event as feed, facts, ledger, score::made_id};
use dunlin_domain::{
    Currency, Date, Decimal, Id, Instant,
    alert::{self, Finding, Key, Live, Position, Sample, Values},
    card::NOTCHES,
    contract::{
        events::EventData,
        score::FactName,
        warn::{AlertKind, AlertRule, Judged, Severity, TermKind, WatchedEvent},
    },
    event::Place,
    facts::Owing,
};
use dunlin_store::{
    Db, Fault, alert as table,
    arrears::{self, Range},
    customer, event, score, sweep, write,
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

    /// Takes up what all customers owed on a past day.
    pub(crate) fn of_the_day<D: Db>(&mut self, db: &D, day: Date) -> Result<(), Fault> {
        self.book = by_currency(arrears::book_then(db, day)?);
        Ok(())
    }

    /// What one of them owes, beside the book. Overdue is what somebody would be reminded of.
    pub(crate) fn owed(&self, of: &[Owing]) -> Vec<alert::Owed> {
        let owed = of.iter().filter(|of| of.outstanding_minor > 0);
        let owed =
            owed.map(|of| beside(of.currency, of.outstanding_minor, of.overdue_minor, &self.book));
        owed.collect()
    }

    /// Puts what a customer owes now in place of what it owed at the sweep.
    fn renew(&mut self, before: &[arrears::Owed], now: &[Owing]) {
        for of in before.iter().filter(|of| of.2 > 0) {
            let (minor, owing) = self.book.entry(of.1).or_default();
            (*minor, *owing) = (minor.saturating_sub(of.2), owing.saturating_sub(1));
        }
        for of in now.iter().filter(|of| of.outstanding_minor > 0) {
            let (minor, owing) = self.book.entry(of.currency).or_default();
            *minor = minor.saturating_add(of.outstanding_minor);
            *owing = owing.saturating_add(1);
        }
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
    Ok(by_currency(arrears::book(db)?))
}

fn by_currency(book: Vec<(Currency, i64, u32)>) -> Book {
    book.into_iter().map(|(currency, minor, owing)| (currency, (minor, owing))).collect()
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
    let limits = facts::limits(db, range, day)?;
    let (mut judging, mut events) = (Vec::new(), Vec::new());
    let mut positions = table::positions(db, range, day, false)?;
    beside_scores(db, day, &mut positions)?;
    for (key, id, grade_now, grade_before, notches, facts, judged_before) in positions {
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
            overdue_before: overdue_before(&owed, day, warned_on, judged_before != 0),
            // A part before is there where the same card judged: by another one nothing has fallen.
            grade_before: grade_before.filter(|_| notches.1.is_some()),
            grade_now,
            notch_now: notches.0,
            notch_before: notches.1,
            notches: notches.2,
            limit: limits.get(&key).copied(),
            owed: owed.iter().map(|of| beside(of.1, of.2, chased(of), &ground.book)).collect(),
            ..Position::on(day)
        };
        judging.push(Judging { key, id, position });
    }
    event::add_all(db, &events, at)?;
    settle(db, range, (warned_on.unwrap_or(Date::FIRST), day), ground, judging, at)
}

/// Takes up the facts of those who are known of and were not scored, as who was never asked to pay anything.
fn beside_scores<D: Db>(db: &D, day: Date, positions: &mut [table::Position]) -> Result<(), Fault> {
    let mut unscored: Vec<_> = positions.iter_mut().filter(|of| of.5.is_none()).collect();
    for range in ranges(&unscored.iter().map(|of| of.0).collect()) {
        let mut found = facts::of_range(db, range, day)?;
        for of in unscored.iter_mut().filter(|of| range.after < of.0 && of.0 <= range.upto) {
            of.5 = found.take(of.0).map(|sums| values(&found.facts((of.0, &of.1), &sums)));
        }
    }
    Ok(())
}

/// What is overdue and somebody would be reminded of.
fn chased(of: &arrears::Owed) -> i64 {
    if of.5.is_some() { of.7 } else { 0 }
}

/// Whether anything was past due at the sweep before. Of who is judged by a sweep for the first time, whether anything was
/// on the day before: an old debt is not new because nobody looked.
fn overdue_before(
    owed: &[arrears::Owed],
    day: Date,
    warned_on: Option<Date>,
    judged_before: bool,
) -> bool {
    let yesterday = day.plus_days(-1).unwrap_or(day);
    owed.iter().any(|of| match judged_before {
        true => of.5.is_some_and(|since| Some(since) <= warned_on),
        false => of.5.is_some() && of.6.is_some_and(|due_on| due_on < yesterday),
    })
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

/// Compares where customers stand with their alerts, and records what comes of it. Alerts that were snoozed until a day
/// after the first of the two are told of.
fn settle<D: Db>(
    db: &D,
    range: Range,
    (told_on, day): (Date, Date),
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
    seed(db, day, &judging, &wanted, &mut samples)?;
    let mut live: HashMap<i64, Vec<Live>> = HashMap::new();
    let mut keys: HashMap<(i64, Key), i64> = HashMap::new();
    for (customer, key, alert) in table::of_range(db, range)? {
        if alert.behind.is_some() {
            keys.insert((customer, alert.key.clone()), key);
        }
        live.entry(customer).or_default().push(alert);
    }
    let mut waiting: HashMap<i64, Vec<(Key, Date)>> = HashMap::new();
    for (customer, waits) in table::waiting(db, range)? {
        waiting.entry(customer).or_default().push(waits);
    }
    let (mut opening, mut ending, mut rising) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keeping, mut waits, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
    let (mut covering, mut taking_up, mut noting) = (Vec::new(), Vec::new(), Vec::new());
    let mut resumed = Vec::new();
    for Judging { key, id, mut position } in judging {
        position.samples = samples.remove(&key).unwrap_or_default();
        let (live, waiting) =
            (live.remove(&key).unwrap_or_default(), waiting.remove(&key).unwrap_or_default());
        let step = alert::judge(&ground.rules, &position, &live, &waiting);
        let ends = |of: &Live| of.snoozed_until.is_some_and(|on| told_on < on && on <= day);
        for of in live.iter().filter(|of| ends(of) && !of.closed && !step.ends(&of.key)) {
            let rule = ground.rules.iter().find(|rule| rule.name == of.key.0);
            let kind = rule.and_then(|of| of.rule.kind).unwrap_or(AlertKind::Other);
            let data = about(kind, &of.key, of.severity);
            resumed.push(("alert.resumed", key, alert_id(&id, &of.key, of.opened_on)?, data));
        }
        for finding in step.to_open {
            opening.push((alert_id(&id, &finding.key, day)?, key, finding));
        }
        for of in step.to_take_up {
            let alert = alert_id(&id, &of, day)?;
            taking_up.extend(keys.get(&(key, of)).map(|place| (*place, alert)));
        }
        covering.extend(step.to_cover.into_iter().map(|of| (key, of)));
        ending.extend(step.to_end.into_iter().map(|of| (key, of)));
        rising.extend(step.to_escalate.into_iter().map(|of| (key, of)));
        noting.extend(step.to_note.into_iter().map(|of| (key, of)));
        waits.extend(step.to_wait.into_iter().map(|of| (key, of)));
        forgotten.extend(step.to_forget.into_iter().map(|of| (key, of)));
        let kept = alert::add_sample(&position.samples, day, &position.facts, &wanted);
        keeping.extend(kept.map(|samples| (key, samples)));
    }
    let told = |(_, _, finding): &&(Id, i64, Finding)| finding.behind.is_none();
    let opened = opening.iter().filter(told).map(|(id, key, finding): &(Id, i64, Finding)| {
        let data = about(finding.kind, &finding.key, finding.severity);
        ("alert.opened", *key, id.clone(), data)
    });
    event::add_all(db, &resumed, at)?;
    // What ends and opens again is told in this order.
    table::end_all(db, &ending, day, at)?;
    table::escalate_all(db, &rising, day, at)?;
    table::note_all(db, &noting)?;
    table::cover_all(db, &covering, day, at)?;
    let opened = opened.collect::<Vec<_>>();
    event::add_all(db, &opened, at)?;
    table::open_all(db, &opening, day)?;
    table::take_up_all(db, &taking_up, day, at)?;
    table::forget_all(db, &forgotten)?;
    table::wait_all(db, &waits)?;
    table::put_samples(db, &keeping)?;
    let count = |len| u64::try_from(len).unwrap_or(0);
    let was_open = |key: i64, of: &Key| !keys.contains_key(&(key, of.clone()));
    let ended = ending.iter().filter(|(key, of)| was_open(*key, &of.key)).count();
    let covered = covering.iter().filter(|(key, (of, _))| was_open(*key, of)).count();
    let closed = ended.saturating_add(covered);
    Ok((count(opened.len().saturating_add(taking_up.len())), count(closed)))
}

/// What is told of an alert.
fn about(kind: AlertKind, (rule, _): &Key, severity: Severity) -> EventData {
    EventData {
        state: Some(kind.name().into()),
        rule: Some(rule.clone()),
        severity: Some(severity.name().into()),
        ..feed::nothing()
    }
}

/// Takes the samples of the year before for those of whom there are none and who are older than a sample, so that what
/// was taken in with its past is compared with it from the first day. Once for each: by the ledger as it is recorded.
fn seed<D: Db>(
    db: &D,
    day: Date,
    judging: &[Judging],
    wanted: &BTreeSet<FactName>,
    samples: &mut HashMap<i64, Vec<Sample>>,
) -> Result<(), Fault> {
    let old = Decimal::from(alert::SAMPLE_DAYS);
    let without = |of: &&Judging| {
        let age = of.position.facts.get(&FactName::AccountAgeDays);
        !samples.contains_key(&of.key) && age.is_some_and(|age| *age >= old)
    };
    let missing: BTreeMap<i64, &Id> = match wanted.is_empty() {
        true => BTreeMap::new(),
        false => judging.iter().filter(without).map(|of| (of.key, &of.id)).collect(),
    };
    let ranges = ranges(&missing.keys().copied().collect());
    for number in (1..alert::SAMPLES).rev().filter_map(|number| i64::try_from(number).ok()) {
        let on = day.plus_days(number.saturating_mul(-alert::SAMPLE_DAYS)).unwrap_or(Date::FIRST);
        for range in &ranges {
            let mut found = facts::of_range(db, *range, on)?;
            for (key, id) in missing.range(range.after.saturating_add(1)..=range.upto) {
                let Some(known) = found.take(*key).filter(|of| of.known.first_on.is_some()) else {
                    continue;
                };
                let facts = values(&found.facts((*key, id), &known));
                let former = samples.entry(*key).or_default();
                if let Some(more) = alert::add_sample(former, on, &facts, wanted) {
                    *former = more;
                }
            }
        }
    }
    Ok(())
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
    let (mut customers, mut of_others, mut changed) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut merged = false;
    while more && customers.len() < RUN {
        let stretch = feed::after(db, reached)?;
        (reached, more) = (stretch.reached, stretch.more);
        let matters = stretch.events.iter().filter(|of| matters(&of.event.kind));
        for (of, key) in matters.filter_map(|of| Some((of, of.customer_key?))) {
            customers.insert(key);
            if concerns_others(&of.event.kind) {
                of_others.push(key);
            }
            merged |= of.event.kind == "customer.merged";
            if of.event.kind == "customer.changed" {
                changed.push(key);
            }
        }
    }
    if reached == from {
        return Ok(nothing);
    }
    if !of_others.is_empty() {
        customers.extend(customer::around(db, &of_others)?);
    }
    if !changed.is_empty() {
        customers.extend(customer::regrouped(db, &changed)?);
    }
    // Who left a group by a merge is in none of its lists any more.
    if merged {
        customers.extend(table::of_group_defaults(db)?);
    }
    write(db, |db| {
        let (mut ground, cards) = (Ground::read(db)?, Cards::in_force(db, day)?);
        let mut judged = Judged { customers: 0, opened: 0, closed: 0, done: !more };
        let mut found = Vec::new();
        for range in ranges(&customers) {
            found.push((range, between(db, range, &customers, day, &mut ground, &cards)?));
        }
        for (range, mut judging) in found {
            for of in judging.iter_mut().flat_map(|of| &mut of.position.owed) {
                *of = beside(of.currency, of.outstanding_minor, of.overdue_minor, &ground.book);
            }
            let seen = u64::try_from(judging.len()).unwrap_or(0);
            // Who asks for the score next reads these, until more is recorded.
            let known = judging.iter().filter(|of| !of.position.facts.is_empty());
            let known: Vec<_> = known.map(|of| (of.key, &of.position.facts)).collect();
            score::keep_between(db, &known, day)?;
            let (opened, closed) = settle(db, range, (day, day), &ground, judging, now)?;
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

/// Where those customers of a range stand by what is known now. What they owe takes its place in the book.
fn between<D: Db>(
    db: &D,
    range: Range,
    wanted: &BTreeSet<i64>,
    day: Date,
    ground: &mut Ground,
    cards: &Cards,
) -> Result<Vec<Judging>, Fault> {
    let warned_on = sweep::warned_before(db, day)?;
    let mut owed: HashMap<i64, Vec<arrears::Owed>> = HashMap::new();
    for row in arrears::last_of_range(db, range)? {
        owed.entry(row.0).or_default().push(row);
    }
    let mut found = facts::of_range(db, range, day)?;
    let mut happened = happened(db, range, day, ground)?;
    let parts = table::positions(db, range, day, true)?.into_iter();
    let mut parts: HashMap<i64, _> = parts.map(|of| (of.0, (of.4.0, of.6 != 0))).collect();
    let mut judging = Vec::new();
    for (key, id, segment, _, before) in score::to_judge(db, range)? {
        if !wanted.contains(&key) {
            continue;
        }
        let known = found.take(key);
        let facts = known.as_ref().map(|known| found.facts((key, &id), known));
        let known = known.unwrap_or_default();
        let owed = owed.remove(&key).unwrap_or_default();
        ground.renew(&owed, &known.owing);
        // The grade as it is by now stands against the one of the last sweep. Who was never asked to pay anything has none.
        let card = cards.of(segment.as_deref());
        let scored = facts.as_ref().filter(|_| known.known.first_on.is_some());
        let standing = scored.and_then(|facts| card.judge(facts));
        let seen_before = before.is_some();
        let (notch_before, judged_before) = parts.remove(&key).unwrap_or_default();
        let (grade_before, model) =
            before.map_or((None, None), |(_, grade, _, model)| (grade, Some(model)));
        let same_card = model.as_ref() == Some(&card.model);
        let position = Position {
            facts: facts.as_ref().map(values).unwrap_or_default(),
            events: happened.remove(&key).unwrap_or_default(),
            // What no sweep has seen yet, the next one tells of.
            overdue_before: !seen_before || overdue_before(&owed, day, warned_on, judged_before),
            grade_before: grade_before.filter(|_| same_card),
            grade_now: standing.map(|of| of.grade),
            notch_now: standing.map(|of| of.notch),
            notch_before: notch_before.filter(|_| same_card),
            notches: Some(card.document.notches.unwrap_or(NOTCHES)),
            limit: found.limits.get(&key).copied(),
            owed: ground.owed(&known.owing),
            ..Position::on(day)
        };
        judging.push(Judging { key, id, position });
    }
    Ok(judging)
}

/// Facts by name.
pub(crate) fn values(facts: &dunlin_domain::contract::score::Facts) -> Values {
    facts.values.iter().map(|fact| (fact.name, fact.value)).collect()
}
