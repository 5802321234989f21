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
    rule::{Known, Settings},
    words,
};
use crate::{
    Currency, Date, Decimal, Id, Instant, Money, Refusal, Refused,
    contract::{
        credit::{
            CheckPurpose, CheckResult, CreditExposure, EffectiveLimit, ExposureComponent,
            ExposurePart, LimitKind, NewCheck, RuleKind, RuleLevel, Verdict,
        },
        types::{CustomerStatus, Grade, Language},
    },
    decimal,
    money::MAX_MINOR,
};
use case::{Case, Supposed};
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

/// Judges.
pub fn judge(inputs: &Inputs) -> Result<Judged, Refused> {
    Case::new(inputs)?.judge(&Supposed::default())
}

/// Whether an order with this verdict waits.
pub fn is_held(verdict: Verdict) -> bool {
    verdict >= Verdict::Hold
}

/// The answer to a check, without an id.
pub fn answer(
    inputs: &Inputs,
    judged: &Judged,
    language: Language,
) -> Result<CheckResult, Refused> {
    let (position, question) = (&inputs.position, &inputs.question);
    let settings = Settings::of(&position.rules, Some(purpose_of(question)), inputs.day);
    let would_pass_if = match is_held(judged.verdict) {
        true => Some(condition::of(&Case::new(inputs)?, judged, language)),
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
        exposure: parts(inputs, &settings, judged)?,
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
    settings: &Settings,
    judged: &Judged,
) -> Result<Vec<ExposurePart>, Refused> {
    let (position, rates) = (&inputs.position, &inputs.rates);
    let limit_minor = |component: ExposureComponent| {
        let own = settings.limits.iter().filter(|(of, _, _)| *of == component);
        let own = own.map(|(_, bound, _)| rates.down(bound.minor, bound.currency, judged.currency));
        own.min_by_key(|bound| bound.as_ref().copied().unwrap_or(0)).transpose()
    };
    let (pieces, guarantees) = (&position.pieces, &position.guarantees);
    exposure::told(&judged.before, settings, position.key, pieces, guarantees, limit_minor)
}

/// The exposure of a position, for which nothing is asked.
pub fn exposure(inputs: &Inputs) -> Result<CreditExposure, Refused> {
    let case = Case::new(inputs)?;
    let judged = case.judge(&Supposed::default())?;
    let most = judged.limit.as_ref().and_then(|limit| limit.minor);
    Ok(CreditExposure {
        customer: inputs.position.id.clone(),
        as_of: inputs.day,
        currency: judged.currency,
        parts: parts(inputs, &case.settings, &judged)?,
        total_minor: judged.before.total,
        group_minor: judged.group_after_minor,
        limit: judged.limit,
        used: most.and_then(|most| decimal::share(judged.before.total, most)),
    })
}

/// Which limit decided, in one sentence.
pub fn why(limits: &Limits, decided: Decided, language: Language) -> String {
    let temporary =
        limits.individual.as_ref().is_some_and(|line| line.kind == LimitKind::Temporary);
    words::why(decided, temporary, limits, language)
}

mod case;
mod condition;

#[cfg(test)]
mod tests;
