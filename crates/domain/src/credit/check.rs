//! The check: may this go out?
//!
//! Every rule that decides is looked at, whichever fails first. The verdict is the worst of what failed and was not
//! released by hand. A hold that was placed by hand is not released by the release of another.
//!
//! What an order has in the exposure already is not added again when it is asked about: `added = asked − counted`, at
//! least zero. The limit is held against the exposure with what is added, the customer's own against the limit that
//! counts for it, the group's as a whole against the group's limit.

use super::{
    advice,
    exposure::{self, Guaranteed, Piece, Sums},
    limit::{self, Decided, Entry, Limits},
    rates::Rates,
    rule::{self, Known, Settings, deciding},
    words,
};
use crate::{
    Currency, Date, Decimal, Id, Instant, Money, Refusal, Refused,
    contract::{
        credit::{
            CheckPurpose, CheckResult, Contribution, CreditExposure, EffectiveLimit,
            ExposureComponent, LimitKind, NewCheck, PassCondition, RuleKind, RuleLevel, Verdict,
        },
        types::{CustomerStatus, Grade, Language},
    },
    decimal,
    money::MAX_MINOR,
};
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The head of the customer's group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub key: i64,
    pub id: Id,
    /// The credit limit of its record.
    pub limit: Option<Money>,
}

/// A hold that somebody placed by hand and that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub id: Id,
    /// Absent: on all of the customer's orders.
    pub order: Option<Id>,
}

/// A hold that was released by hand and whose release still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    pub id: Id,
    pub order: Option<Id>,
    /// For at most so much. Absent: however much.
    pub amount: Option<Money>,
}

/// Where a customer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub key: i64,
    pub id: Id,
    pub status: CustomerStatus,
    /// The customer that it was merged into.
    pub merged: Option<Id>,
    pub currency: Option<Currency>,
    /// The credit limit of its record.
    pub limit: Option<Money>,
    /// Absent: in no group.
    pub head: Option<Head>,
    pub grade: Option<Grade>,
    /// The grade that stood before.
    pub grade_before: Option<Grade>,
    pub ledger: Vec<Entry>,
    pub pieces: Vec<Piece>,
    pub guarantees: Vec<Guaranteed>,
    pub rules: Vec<Known>,
    pub placed: Vec<Placed>,
    pub released: Vec<Released>,
    /// Promises that are broken and not mended. Absent: not recorded.
    pub broken_promises: Option<u32>,
    /// Whether a debt is in the legal stage. Absent: not recorded.
    pub legal_stage: Option<u8>,
    /// Days from issue to due date of the latest invoice.
    pub usual_terms: Option<i64>,
}

/// All that a judgement rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub at: Instant,
    pub day: Date,
    pub question: NewCheck,
    pub position: Position,
    pub rates: Rates,
}

/// A rule that failed, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub rule: Id,
    pub kind: RuleKind,
    pub level: RuleLevel,
    pub verdict: Verdict,
    pub seen: Seen,
}

/// What a rule saw, and what it held it against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The kind says it all.
    Plain,
    Status(CustomerStatus),
    /// So many days, promises or classes.
    Count(i64, Decimal),
    Grade(Grade, Option<Grade>),
    Amount(Money, Money),
    /// The exposure with what is added against the limit, of the group when so.
    Used {
        after: Money,
        most: Money,
        group: bool,
    },
    Component(ExposureComponent, Money, Money),
    /// Since a hold was placed.
    Hold(Id),
}

/// A judgement without its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict,
    /// The worst first.
    pub reasons: Vec<Reason>,
    /// The currency of all sums here.
    pub currency: Currency,
    /// Before what is asked.
    pub before: Sums,
    /// With what is added.
    pub after_minor: i64,
    /// The same of the group, in the same currency.
    pub group_after_minor: Option<i64>,
    pub limit: Option<EffectiveLimit>,
    pub released_by: Option<Id>,
}

/// What is taken otherwise than it is, to find what would pass.
#[derive(Clone, Debug, Default)]
struct Supposed {
    amount: Option<i64>,
    prepaid: i64,
    guaranteed: i64,
    limit: Option<i64>,
    /// Pieces that are paid, by place.
    paid: BTreeSet<usize>,
}

/// Checks what a client asked.
pub fn check(question: &NewCheck) -> Result<(), Refused> {
    let amount = question.amount.minor;
    if amount < 0 {
        let detail = "the amount is zero or more";
        return Err(Refused::new(Refusal::AmountNotPositive, detail).at("amount"));
    }
    if amount > MAX_MINOR {
        let code = Refusal::AmountTooLarge;
        return Err(Refused::new(code, code.about()).at("amount"));
    }
    Ok(())
}

/// The limits of a position on the day.
pub fn limits(position: &Position, day: Date) -> Limits {
    let head = position.head.as_ref().map(|head| head.limit);
    limit::on(day, &position.ledger, position.limit, head)
}

/// The currencies that are converted into others to judge a position: from and to. What is asked counts as one more.
pub fn pairs(
    position: &Position,
    asked: Option<Money>,
    day: Date,
) -> BTreeSet<(Currency, Currency)> {
    let limits = limits(position, day);
    let lines = [&limits.individual, &limits.group];
    let mut to: BTreeSet<Currency> =
        lines.into_iter().flatten().map(|line| line.currency).collect();
    to.extend(asked.map(|money| money.currency));
    to.extend(position.currency);
    let own = |known: &Known| known.rule.amount.map(|money| money.currency);
    to.extend(position.rules.iter().filter_map(own));
    let mut from = to.clone();
    from.extend(position.pieces.iter().map(|piece| piece.currency));
    from.extend(position.guarantees.iter().map(|of| of.currency));
    let pair = |from: &Currency| to.iter().map(|to| (*from, *to)).collect::<Vec<_>>();
    from.iter().flat_map(pair).filter(|(from, to)| from != to).collect()
}

/// What is asked for where nothing is said.
fn purpose_of(question: &NewCheck) -> CheckPurpose {
    question.purpose.unwrap_or(CheckPurpose::Order)
}

/// How much of the order that is asked about is in the exposure already.
fn counted(inputs: &Inputs) -> i64 {
    let (order, position) = (inputs.question.order_id.as_ref(), &inputs.position);
    let of = |piece: &&Piece| {
        piece.member == position.key
            && order.is_some()
            && piece.order.as_ref() == order
            && piece.currency == inputs.question.amount.currency
    };
    position.pieces.iter().filter(of).map(|piece| piece.minor).fold(0, i64::saturating_add)
}

/// Judges.
pub fn judge(inputs: &Inputs) -> Result<Judged, Refused> {
    supposing(inputs, &Supposed::default())
}

fn supposing(inputs: &Inputs, supposed: &Supposed) -> Result<Judged, Refused> {
    let (position, question, day) = (&inputs.position, &inputs.question, inputs.day);
    let mut limits = limits(position, day);
    if let Some(minor) = supposed.limit {
        for line in [&mut limits.individual, &mut limits.group].into_iter().flatten() {
            *line = crate::contract::credit::LimitLine { minor, mandatory: true, ..line.clone() };
        }
    }
    let (limit, decided) = limit::effective(&limits, &inputs.rates)?;
    let asked =
        Money { minor: supposed.amount.unwrap_or(question.amount.minor), ..question.amount };
    let purpose = Some(purpose_of(question));
    let settings = Settings::of(&position.rules, purpose, day);
    let unpaid =
        |(at, piece): (usize, &'_ Piece)| !supposed.paid.contains(&at) || piece.id.is_none();
    let pieces = position.pieces.iter().enumerate();
    let pieces = pieces.filter(|(at, piece)| unpaid((*at, piece))).map(|(_, piece)| piece);
    let mut books = exposure::books(pieces.clone(), &position.guarantees)?;
    let currency = limit.as_ref().map_or(asked.currency, |limit| limit.currency);
    let own = |member: i64| member == position.key;
    let before = exposure::sums(&books, own, &settings, currency, &inputs.rates)?;
    let book = books.entry((position.key, asked.currency)).or_default();
    book.asked = asked.minor.saturating_sub(counted(inputs)).max(0);
    if supposed.prepaid > 0 {
        book.prepay(supposed.prepaid);
    }
    if supposed.guaranteed > 0 {
        book.guarantee(supposed.guaranteed);
    }
    let after = |to: Currency, all: bool| {
        let of = |member: i64| all || own(member);
        exposure::sums(&books, of, &settings, to, &inputs.rates)
    };
    let after_own = after(currency, false)?;
    let group = limits.group.as_ref().filter(|line| !line.unlimited);
    let group = group.filter(|_| decided != Decided::Unlimited);
    let group_after_minor = match position.head.is_some() {
        true => Some(after(currency, true)?.total),
        false => None,
    };

    let shipped = rule::shipped();
    let mut reasons: Vec<Reason> = Vec::new();
    let mut failed = |known: &Known, seen: Seen| {
        reasons.push(Reason {
            rule: known.name.clone(),
            kind: known.rule.kind,
            level: known.level,
            verdict: known.rule.verdict.unwrap_or(Verdict::Hold),
            seen,
        });
    };
    let overdue: Vec<&Piece> = pieces
        .filter(|piece| {
            own(piece.member)
                && piece.component == ExposureComponent::OverdueInvoices
                && piece.minor > piece.contested
        })
        .collect();
    for kind in RuleKind::ALL {
        for known in deciding(&position.rules, &shipped, *kind, None, purpose, day) {
            let rule = &known.rule;
            let most = rule.more_than.unwrap_or_default();
            let above = |seen: i64| Decimal::from(seen) > most;
            match kind {
                RuleKind::DaysOverdue => {
                    let oldest = overdue.iter().filter_map(|piece| piece.due_on).min();
                    let days = oldest.map_or(0, |due| day.days_since(due));
                    if days > 0 && above(days) {
                        failed(known, Seen::Count(days, most));
                    }
                }
                RuleKind::AccountStatus => {
                    let stop =
                        [CustomerStatus::OnHold, CustomerStatus::Suspended, CustomerStatus::Closed];
                    let statuses = rule.statuses.as_deref().unwrap_or(&stop);
                    if statuses.contains(&position.status) {
                        failed(known, Seen::Status(position.status));
                    }
                }
                RuleKind::WorsenedTerms => {
                    let longer = question.terms_days.map(i64::from).zip(position.usual_terms);
                    let longer = longer.map(|(asked, usual)| asked.saturating_sub(usual));
                    if let Some(days) = longer.filter(|days| *days > 0 && above(*days)) {
                        failed(known, Seen::Count(days, most));
                    }
                }
                RuleKind::ExpiredLimit if limits.expired => failed(known, Seen::Plain),
                RuleKind::LimitMissing if limit.is_none() && !limits.expired => {
                    failed(known, Seen::Plain);
                }
                RuleKind::LegalStage if position.legal_stage == Some(1) => {
                    failed(known, Seen::Plain);
                }
                RuleKind::OverdueAmount => {
                    if let Some(bound) = rule.amount {
                        let mut sum = 0i64;
                        for piece in &overdue {
                            let minor = piece.minor.saturating_sub(piece.contested);
                            let minor = inputs.rates.up(minor, piece.currency, bound.currency)?;
                            sum = sum.saturating_add(minor);
                        }
                        if sum > bound.minor {
                            failed(known, Seen::Amount(Money::new(sum, bound.currency), bound));
                        }
                    }
                }
                RuleKind::OrderAmount => {
                    if let Some(bound) = rule.amount {
                        let minor = inputs.rates.up(asked.minor, asked.currency, bound.currency)?;
                        if minor > bound.minor {
                            failed(known, Seen::Amount(Money::new(minor, bound.currency), bound));
                        }
                    }
                }
                RuleKind::LimitUsed => {
                    let share = rule.more_than.unwrap_or(Decimal::ONE);
                    let own = limit.as_ref().and_then(|limit| {
                        Some((limit.minor?, limit.currency, after_own.total, false))
                    });
                    let group = match group {
                        None => None,
                        Some(line) => {
                            let total = after(line.currency, true)?.total;
                            Some((line.minor, line.currency, total, true))
                        }
                    };
                    for (minor, currency, total, group) in own.into_iter().chain(group) {
                        let most = part(minor, share);
                        if total > most {
                            let after = Money::new(total, currency);
                            let most = Money::new(most, currency);
                            failed(known, Seen::Used { after, most, group });
                        }
                    }
                }
                RuleKind::BrokenPromise => {
                    let broken = position.broken_promises.map(i64::from);
                    if let Some(broken) = broken.filter(|broken| *broken > 0 && above(*broken)) {
                        failed(known, Seen::Count(broken, most));
                    }
                }
                RuleKind::ScoreDrop => {
                    let Some(grade) = position.grade else { continue };
                    let classes = position.grade_before.map_or(0, |before| fall(before, grade));
                    let bad = rule.grade.is_some_and(|worst| grade >= worst);
                    // With a grade alone a fall above it is no reason.
                    let looks = rule.grade.is_none() || rule.more_than.is_some();
                    if bad || (looks && classes > 0 && above(classes)) {
                        failed(known, Seen::Grade(grade, position.grade_before));
                    }
                }
                RuleKind::ExpiredLimit
                | RuleKind::LimitMissing
                | RuleKind::LegalStage
                | RuleKind::ExposureComponent
                | RuleKind::PlacedHold => {}
            }
        }
    }
    for (component, bound, known) in &settings.limits {
        let found = exposure::sums(&books, own, &settings, bound.currency, &inputs.rates)?;
        let minor = found.part(*component);
        if minor > bound.minor {
            let seen = Money::new(minor, bound.currency);
            failed(known, Seen::Component(*component, seen, *bound));
        }
    }
    let concerns = |order: &Option<Id>| order.is_none() || *order == question.order_id;
    for placed in position.placed.iter().filter(|placed| concerns(&placed.order)) {
        reasons.push(Reason {
            rule: Id::known("placed-hold"),
            kind: RuleKind::PlacedHold,
            level: RuleLevel::Customer,
            verdict: Verdict::ForcedHold,
            seen: Seen::Hold(placed.id.clone()),
        });
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    let covers = |released: &&Released| {
        concerns(&released.order)
            && released
                .amount
                .is_none_or(|most| most.currency == asked.currency && most.minor >= asked.minor)
    };
    let released = position.released.iter().find(covers);
    let standing =
        reasons.iter().filter(|of| released.is_none() || of.kind == RuleKind::PlacedHold);
    let verdict = standing.map(|of| of.verdict).max().unwrap_or(Verdict::Pass);
    let let_pass = reasons.iter().any(|of| is_held(of.verdict)) && !is_held(verdict);
    Ok(Judged {
        verdict,
        released_by: released.filter(|_| let_pass).map(|released| released.id.clone()),
        reasons,
        currency,
        before,
        after_minor: after_own.total,
        group_after_minor,
        limit,
    })
}

/// Whether an order with this verdict waits.
pub fn is_held(verdict: Verdict) -> bool {
    verdict >= Verdict::Hold
}

/// A share of a limit, rounded down.
fn part(minor: i64, share: Decimal) -> i64 {
    let part = Decimal::from(minor).checked_mul(share).map(|part| part.floor());
    part.and_then(|part| part.to_i64()).unwrap_or(minor)
}

/// By how many classes a grade fell.
fn fall(before: Grade, now: Grade) -> i64 {
    let place = |grade: Grade| Grade::ALL.iter().position(|known| *known == grade);
    let place = |grade: Grade| place(grade).and_then(|at| i64::try_from(at).ok()).unwrap_or(0);
    place(now).saturating_sub(place(before))
}

/// The answer to a check, without an id.
pub fn answer(
    inputs: &Inputs,
    judged: &Judged,
    language: Language,
) -> Result<CheckResult, Refused> {
    let (position, question) = (&inputs.position, &inputs.question);
    let settings = Settings::of(&position.rules, Some(purpose_of(question)), inputs.day);
    let held = is_held(judged.verdict);
    let would_pass_if = match held {
        true => Some(would_pass_if(inputs, judged, language)),
        false => None,
    };
    let advice = match judged.verdict {
        Verdict::Pass => Vec::new(),
        _ => advice::for_grade(position.grade),
    };
    Ok(CheckResult {
        id: None,
        customer: position.id.clone(),
        at: inputs.at,
        amount: question.amount,
        purpose: purpose_of(question),
        order_id: question.order_id.clone(),
        verdict: judged.verdict,
        reasons: judged.reasons.iter().map(|reason| words::reason(reason, language)).collect(),
        exposure: parts(inputs, judged, &settings)?,
        total_minor: judged.before.total,
        after_minor: judged.after_minor,
        group_after_minor: judged.group_after_minor,
        limit: judged.limit.clone(),
        would_pass_if,
        advice,
        hold_id: None,
        released_by: judged.released_by.clone(),
    })
}

fn parts(
    inputs: &Inputs,
    judged: &Judged,
    settings: &Settings,
) -> Result<Vec<crate::contract::credit::ExposurePart>, Refused> {
    let position = &inputs.position;
    let limit_minor = |component: ExposureComponent| {
        let own = settings.limits.iter().filter(|(of, _, _)| *of == component);
        let own = own
            .map(|(_, bound, _)| inputs.rates.down(bound.minor, bound.currency, judged.currency));
        own.min_by_key(|bound| bound.as_ref().copied().unwrap_or(0)).transpose()
    };
    let (pieces, guarantees) = (&position.pieces, &position.guarantees);
    exposure::told(&judged.before, settings, position.key, pieces, guarantees, limit_minor)
}

/// The exposure of a position, for which nothing is asked.
pub fn exposure(inputs: &Inputs) -> Result<CreditExposure, Refused> {
    let judged = judge(inputs)?;
    let purpose = Some(purpose_of(&inputs.question));
    let settings = Settings::of(&inputs.position.rules, purpose, inputs.day);
    let most = judged.limit.as_ref().and_then(|limit| limit.minor);
    Ok(CreditExposure {
        customer: inputs.position.id.clone(),
        as_of: inputs.day,
        currency: judged.currency,
        parts: parts(inputs, &judged, &settings)?,
        total_minor: judged.before.total,
        group_minor: judged.group_after_minor,
        limit: judged.limit,
        used: most.and_then(|most| decimal::share(judged.before.total, most)),
    })
}

/// More than what rounding takes off when a debt is paid that many guarantees secure.
const MARGIN: i64 = 1_000;

/// What would make it pass, each found by asking again.
fn would_pass_if(inputs: &Inputs, judged: &Judged, language: Language) -> PassCondition {
    let passes = |supposed: &Supposed| {
        supposing(inputs, supposed).is_ok_and(|judged| !is_held(judged.verdict))
    };
    let asked = inputs.question.amount;
    let with = |amount| Supposed { amount: Some(amount), ..Supposed::default() };
    let amount = match asked.minor > 0 && passes(&with(0)) {
        true => {
            // The least that is held is one more than the most that passes.
            let held = least(asked.minor, |minor| !passes(&with(minor)));
            held.map(|held| held.saturating_sub(1)).filter(|most| *most > 0)
        }
        false => None,
    };
    // Nobody needs to bring more than all there is with what is asked; what is secured of it falls with the debt.
    let all = judged.after_minor.max(judged.group_after_minor.unwrap_or(0)).max(0);
    let secured = judged.before.part(ExposureComponent::Secured).saturating_neg();
    let gross = all.saturating_add(secured);
    let gross = inputs.rates.up(gross, judged.currency, asked.currency).unwrap_or(MAX_MINOR);
    let most = gross.saturating_add(asked.minor.saturating_mul(2)).saturating_add(MARGIN);
    let enough = |of: fn(i64) -> Supposed, most: i64| least(most, |minor| passes(&of(minor)));
    let prepaid = |prepaid| Supposed { prepaid, ..Supposed::default() };
    let guaranteed = |guaranteed| Supposed { guaranteed, ..Supposed::default() };
    let limit = |limit| Supposed { limit: Some(limit), ..Supposed::default() };
    let limited = judged.limit.as_ref().filter(|limit| limit.minor.is_some());
    let one = |minor: Option<i64>| minor.map(|minor| Money { minor, ..asked });
    let condition = PassCondition {
        amount: one(amount),
        prepayment: one(enough(prepaid, most)),
        guarantee: one(enough(guaranteed, most)),
        limit: limited
            .and_then(|of| Some(Money::new(enough(limit, all.saturating_mul(2))?, of.currency))),
        invoices: invoices(inputs, passes),
        text: String::new(),
    };
    PassCondition { text: words::would_pass_if(&condition, judged, language), ..condition }
}

/// The least amount from 1 to `most` for which something that stays true holds.
fn least(most: i64, holds: impl Fn(i64) -> bool) -> Option<i64> {
    if most < 1 || !holds(most) {
        return None;
    }
    let (mut below, mut found) = (0i64, most);
    while found.saturating_sub(below) > 1 {
        let middle = below.saturating_add(found.saturating_sub(below).div_euclid(2));
        if holds(middle) {
            found = middle;
        } else {
            below = middle;
        }
    }
    Some(found)
}

/// The oldest invoices that are enough when they are paid.
fn invoices(inputs: &Inputs, passes: impl Fn(&Supposed) -> bool) -> Vec<Contribution> {
    let position = &inputs.position;
    let mut own: Vec<(usize, &Piece, &Id)> = position
        .pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| {
            let kind = piece.component;
            piece.member == position.key
                && (kind == ExposureComponent::OpenInvoices
                    || kind == ExposureComponent::OverdueInvoices)
        })
        .filter_map(|(at, piece)| Some((at, piece, piece.id.as_ref()?)))
        .collect();
    own.sort_by(|a, b| (a.1.due_on, a.2).cmp(&(b.1.due_on, b.2)));
    let count = i64::try_from(own.len()).unwrap_or(0);
    let first = |count: i64| {
        let count = usize::try_from(count).unwrap_or(0);
        let paid = own.iter().take(count).map(|(at, _, _)| *at).collect();
        Supposed { paid, ..Supposed::default() }
    };
    let Some(enough) = least(count, |count| passes(&first(count))) else { return Vec::new() };
    let named = own.iter().take(usize::try_from(enough).unwrap_or(0));
    let told = |(_, piece, id): &(usize, &Piece, &Id)| Contribution {
        id: (*id).clone(),
        minor: piece.minor,
        currency: piece.currency,
    };
    named.map(told).collect()
}

/// Which limit decided, in one sentence.
pub fn why(limits: &Limits, decided: Decided, language: Language) -> String {
    let temporary =
        limits.individual.as_ref().is_some_and(|line| line.kind == LimitKind::Temporary);
    words::why(decided, temporary, limits, language)
}

#[cfg(test)]
mod tests;
