//! What a rule would have said on past days, and what became of those it spoke of. Nothing of it is kept.
//!
//! Each day is read as it was: facts, events, what was owed. Samples are taken every four weeks as a sweep would, from a
//! year before the first day on where the rule compares with the past. The grade and what was overdue are compared with
//! the judgement before.

use crate::{
    alert_rule,
    card::Cards,
    facts, invoice,
    warn::{self, Ground},
};
use dunlin_domain::{
    Date, Decimal, Refusal, Refused,
    alert::{self, Key, Live, Position, Sample, Values, check},
    card::{NOTCHES, Standing},
    contract::warn::{AlertRule, Backtest, NewBacktest, TermKind},
    decimal, zone,
};
use dunlin_store::{
    Db, Fault, When, alert as table, arrears::Range, customer, organisation, score,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most judgements of one back-test: three years by the week.
const MOST_STEPS: i64 = 160;

/// The same of a rule that needs what everybody owed on each day: every month of three years.
const MOST_BOOKS: i64 = 40;

/// Customers that are looked at where nothing is said, and at the most: some seconds of work.
const CUSTOMERS: u32 = 200;
const MOST_CUSTOMERS: u32 = 500;

/// For how long an alert may be ahead of a default to have warned of it.
const AHEAD_DAYS: i64 = 180;

/// What became of one customer.
#[derive(Default)]
struct Course {
    live: Vec<Live>,
    waiting: Vec<(Key, Date)>,
    samples: Vec<Sample>,
    overdue: bool,
    /// Whether it was read before: what is past due on the first day is not new.
    read: bool,
    /// The first judgement: who had no document on any day was never judged.
    since: Option<Date>,
    /// How it stood, and by which model.
    standing: Option<(String, Standing)>,
    opened: Vec<Date>,
}

/// Who was judged: since when, the days of its alerts, and of its first default.
type Seen = (Date, Vec<Date>, Option<Date>);

/// Tries a rule on past days. `after` is the customer that the answer before ended with; the second of the answer is
/// where the next begins.
pub fn run<D: Db>(
    db: &D,
    name: &str,
    new: &NewBacktest,
    after: i64,
    today: Date,
) -> Result<(Backtest, Option<i64>), Fault> {
    let rule = match &new.rule {
        None => alert_rule::get(db, name)?,
        Some(rule) => {
            check(name, rule)?;
            AlertRule { name: name.to_string(), version: 0, shipped: false, rule: rule.clone() }
        }
    };
    let step = fits(&rule, new, today)?;
    let customers = new.customers.unwrap_or(CUSTOMERS);
    let label = format!("{name}@{}", rule.version);
    let Some(range) = Range::next(db, after, customers)? else {
        return Ok((told(label, new, new.from, &[], today), None));
    };
    let horizon = new.to.plus_days(AHEAD_DAYS).unwrap_or(Date::LAST).min(today);
    let defaults: HashMap<i64, Date> =
        table::defaults(db, range, new.from, horizon)?.into_iter().collect();
    let mut courses: BTreeMap<i64, Course> = customer::limits(db, range)?
        .into_iter()
        .filter(|(key, _, _)| defaults.get(key).is_none_or(|on| *on > new.from))
        .map(|(key, _, _)| (key, Course::default()))
        .collect();
    let of_the_book = alert::of_the_book(&rule.rule);
    let mut ground = Ground::of(rule);
    let mut last = new.from;
    let zone = organisation::get(db)?.time_zone;
    let known_on = |day: Date| invoice::known_at(db, Some(zone::end_of(day, &zone)?));
    // A book that was taken in later knew nothing then.
    let as_known = match new.as_known {
        Some(as_known) => as_known,
        None => known_on(new.from)? > 0,
    };
    for (day, judged) in days(&ground, new.from, new.to, step) {
        let known = if as_known { known_on(day)? } else { i64::MAX };
        if of_the_book && judged {
            ground.of_the_day(db, day)?;
        }
        let when = When { day, known };
        follow(db, range, when, judged, &ground, &defaults, &mut courses)?;
        last = day;
    }
    let seen: Vec<Seen> = courses
        .into_iter()
        .filter_map(|(key, of)| Some((of.since?, of.opened, defaults.get(&key).copied())))
        .collect();
    let next = Range::next(db, range.upto, 1)?.map(|_| range.upto);
    Ok((Backtest { as_known, ..told(label, new, last, &seen, today) }, next))
}

/// Checks what is asked, and gives the days from one judgement to the next.
fn fits(rule: &AlertRule, new: &NewBacktest, today: Date) -> Result<i64, Refused> {
    let refused = |field: &str, detail: &str| {
        Err(Refused::new(Refusal::MalformedField, detail.to_string()).at(field))
    };
    if new.to > today {
        let detail = format!("{} has not come yet: it is {today}", new.to);
        return Err(Refused::new(Refusal::DateInFuture, detail).at("to"));
    }
    if new.to < new.from {
        return refused("to", "the last day is not before the first");
    }
    let step = new.step_days.unwrap_or(7);
    if !(1..=90).contains(&step) {
        return refused("step_days", "it is 1 to 90");
    }
    if new.customers.is_some_and(|customers| !(1..=MOST_CUSTOMERS).contains(&customers)) {
        return refused("customers", &format!("it is 1 to {MOST_CUSTOMERS}"));
    }
    let step = i64::from(step);
    let most = if alert::of_the_book(&rule.rule) { MOST_BOOKS } else { MOST_STEPS };
    if new.to.days_since(new.from) / step >= most {
        let detail = format!("there are {most} judgements at most");
        return refused("step_days", &detail);
    }
    Ok(step)
}

/// The days that are read, and whether they are judged: before the first only samples are taken.
fn days(ground: &Ground, from: Date, to: Date, step: i64) -> Vec<(Date, bool)> {
    let back = ground.rules.iter().any(|of| alert::looks_back(&of.rule));
    let former = if back { i64::try_from(alert::SAMPLES).unwrap_or(0) } else { 0 };
    let earlier = (1..=former).rev().filter_map(|number| {
        Some((from.plus_days(number.saturating_mul(-alert::SAMPLE_DAYS)).ok()?, false))
    });
    let steps = to.days_since(from).checked_div(step).unwrap_or(0);
    let judged = (0..=steps)
        .filter_map(|number| Some((from.plus_days(number.saturating_mul(step)).ok()?, true)));
    earlier.chain(judged).collect()
}

/// Reads a day and takes every customer one judgement further.
fn follow<D: Db>(
    db: &D,
    range: Range,
    when: When,
    judged: bool,
    ground: &Ground,
    defaults: &HashMap<i64, Date>,
    courses: &mut BTreeMap<i64, Course>,
) -> Result<(), Fault> {
    let day = when.day;
    let mut found = facts::of_range(db, range, when)?;
    let mut formers = customer::formers_of_range(db, range, when)?;
    let mut happened =
        if judged { warn::happened(db, range, day, ground)? } else { HashMap::new() };
    let wanted = alert::facts_needed(&ground.rules);
    let of_grades = |kind| matches!(kind, TermKind::GradeWorse | TermKind::NotchWorse);
    let mut terms = ground.rules.iter().flat_map(|of| &of.rule.terms);
    let graded = terms.any(|term| of_grades(term.kind));
    let cards = if graded { Some(Cards::in_force(db, when)?) } else { None };
    for (key, id, segment, _, _) in score::to_judge(db, range)? {
        let Some(course) = courses.get_mut(&key) else { continue };
        let segment = formers.remove(&key).map_or(segment, |former| former.segment);
        // What a rule says of somebody who is in default already warns nobody.
        if defaults.get(&key).is_some_and(|on| *on <= day) {
            continue;
        }
        let Some(known) = found.take(key).filter(|of| of.known.first_on.is_some()) else {
            continue;
        };
        let facts = found.facts((key, &id), &known);
        let card = cards.as_ref().map(|cards| cards.of(segment.as_deref()));
        let standing = card.and_then(|card| Some((card.model.clone(), card.judge(&facts)?)));
        let now = standing.as_ref();
        let before = course.standing.as_ref().filter(|of| now.is_some_and(|now| now.0 == of.0));
        let (now, before) = (now.map(|of| of.1), before.map(|of| of.1));
        let position = Position {
            facts: warn::values(&facts),
            samples: course.samples.clone(),
            events: happened.remove(&key).unwrap_or_default(),
            overdue_before: course.overdue || !course.read,
            grade_before: before.map(|of| of.grade),
            grade_now: now.map(|of| of.grade),
            notch_before: before.map(|of| of.notch),
            notch_now: now.map(|of| of.notch),
            notches: card.map(|card| card.document.notches.unwrap_or(NOTCHES)),
            limit: found.limits.get(&key).copied(),
            owed: ground.owed(&known.owing),
            ..Position::on(day)
        };
        advance(course, &position, judged, ground, &wanted);
        (course.standing, course.read) = (standing, true);
    }
    Ok(())
}

fn advance(
    course: &mut Course,
    position: &Position,
    judged: bool,
    ground: &Ground,
    wanted: &BTreeSet<dunlin_domain::contract::score::FactName>,
) {
    if judged {
        course.since = course.since.or(Some(position.day));
        let step = alert::judge(&ground.rules, position, &course.live, &course.waiting);
        course.live.retain(|alert| !step.ends(&alert.key));
        course.waiting.retain(|(key, _)| !step.to_forget.contains(key));
        course.waiting.extend(step.to_wait);
        for finding in step.to_open {
            course.opened.push(position.day);
            course.live.push(Live {
                key: finding.key,
                evidence: finding.evidence,
                opened_on: position.day,
                severity: finding.severity,
                closed: false,
                assigned: false,
                snoozed_until: None,
                escalated: false,
                behind: None,
            });
        }
    }
    let facts: &Values = &position.facts;
    if let Some(samples) = alert::add_sample(&course.samples, position.day, facts, wanted) {
        course.samples = samples;
    }
    course.overdue = position.owed.iter().any(|owed| owed.overdue_minor > 0);
}

/// Counts what became of each customer: the days of its alerts, and of its first default.
fn told(rule: String, new: &NewBacktest, last: Date, seen: &[Seen], today: Date) -> Backtest {
    let ahead = |alert: Date, default: Date| {
        let days = default.days_since(alert);
        u32::try_from(days).ok().filter(|_| days <= AHEAD_DAYS)
    };
    let (mut alerts, mut right, mut wrong, mut undecided) = (0u32, 0u32, 0u32, 0u32);
    let (mut good, mut defaults, mut days_before) = (0u32, 0u32, Vec::new());
    let (mut good_days, mut wrong_of_good) = (0u64, 0u32);
    // What came of an alert of a later day nobody can say yet.
    let decided = today.plus_days(-AHEAD_DAYS).unwrap_or(Date::FIRST).min(new.to);
    for (since, opened, default) in seen {
        let wrong_before = wrong;
        for on in opened {
            alerts = alerts.saturating_add(1);
            let came = default.is_some_and(|default| ahead(*on, default).is_some());
            let counted = match (came, today.days_since(*on) >= AHEAD_DAYS) {
                (true, _) => &mut right,
                (false, true) => &mut wrong,
                (false, false) => &mut undecided,
            };
            *counted = counted.saturating_add(1);
        }
        match default {
            None => {
                good = good.saturating_add(1);
                let days = decided.days_since(*since).saturating_add(1);
                good_days = good_days.saturating_add(u64::try_from(days).unwrap_or(0));
                wrong_of_good = wrong_of_good.saturating_add(wrong.saturating_sub(wrong_before));
            }
            Some(on) if *on <= new.to => {
                defaults = defaults.saturating_add(1);
                days_before.extend(opened.iter().filter_map(|alert| ahead(*alert, *on)).max());
            }
            Some(_) => {}
        }
    }
    days_before.sort_unstable();
    let warned = u32::try_from(days_before.len()).unwrap_or(u32::MAX);
    let sum: i64 = days_before.iter().map(|days| i64::from(*days)).sum();
    let share = |part: u32, whole: u32| decimal::share(part.into(), whole.into());
    // False alarms times 100 customers times 365 days, over the days of customers.
    let wronged = Decimal::from(wrong_of_good).saturating_mul(Decimal::from(36_500u32));
    Backtest {
        rule,
        from: new.from,
        to: last,
        customers: u32::try_from(seen.len()).unwrap_or(u32::MAX),
        good,
        good_days,
        alerts,
        true_alarms: right,
        false_alarms: wrong,
        false_alarms_of_good: wrong_of_good,
        undecided,
        defaults,
        warned,
        mean_days_before: decimal::share(sum, warned.into()),
        days_before,
        precision: share(right, right.saturating_add(wrong)),
        recall: share(warned, defaults),
        false_per_hundred_years: decimal::ratio(wronged, Decimal::from(good_days), 2),
        as_known: false,
        next: None,
    }
}
