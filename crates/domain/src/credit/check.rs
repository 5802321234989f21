//! The check: may this go out?
//!
//! Every rule that decides is looked at, whichever fails first. The verdict is the worst of what failed and was not
//! released by hand. A release waives what it names of its order, for at most its amount on top
//! of what was done of the order then; a hold that was placed by hand
//! is not released by the release of another.
//!
//! What an order has or had in the exposure is not added again when it is asked about: `added = asked − counted`, at least
//! zero, where `counted = reserved + undelivered + unbilled + invoiced` of the order, and of a delivery or an invoice also
//! what was cancelled: to order that again is to ask for it anew. The limit is held against the exposure with what is added, the customer's own against the limit that
//! counts for it, the group's as a whole against the group's limit.

use super::{
    advice,
    exposure::{self, Guaranteed, Piece, Sums},
    limit::{self, Decided, Entry, Limits},
    rates::Rates,
    rule::{Known, Settings},
    words,
};
use crate::arrange::set;
use crate::{
    Currency, Date, Decimal, Id, Instant, Money, Refusal, Refused,
    contract::{
        credit::{
            ApprovalThreshold, CheckPurpose, CheckResult, CreditExposure, EffectiveLimit,
            ExposureComponent, ExposurePart, LimitKind, NewCheck, PassCondition, RuleKind,
            RuleLevel, TermsAdvice, TermsOffer, Verdict,
        },
        types::{CustomerStatus, Grade, Language},
    },
    money::MAX_MINOR,
};
use case::{Case, Supposed};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// The rules for which it waits. Absent: not noted, or placed by hand.
    #[serde(default)]
    pub rules: Option<Vec<Id>>,
}

/// A hold that was released by hand and whose release still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    pub id: Id,
    pub order: Option<Id>,
    /// For at most so much. Absent: however much.
    pub amount: Option<Money>,
    /// The rules that it waives, where they give no more than its verdict. Absent: all, as checks were judged before.
    #[serde(default)]
    pub rules: Option<Vec<Id>>,
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// What of the order was done when its amount was asked for on top of that. Absent: not compared, as checks were
    /// judged before.
    #[serde(default)]
    pub base_minor: Option<i64>,
}

impl Released {
    /// Whether a reason that holds was known when somebody released the order.
    fn waives(&self, reason: &Reason) -> bool {
        let named = self.rules.as_ref().is_none_or(|rules| rules.contains(&reason.rule));
        named
            && reason.kind != RuleKind::PlacedHold
            && self.verdict.is_none_or(|most| reason.verdict <= most)
    }
}

/// What was done of an order and counts in it no more, less what was when more of it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub invoiced: i64,
    pub cancelled: i64,
    pub currency: Currency,
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
    /// The credit limit of its record, as far as it counts.
    pub limit: Option<Money>,
    /// What needs a second key.
    #[serde(default)]
    pub second_key_from: Option<Vec<ApprovalThreshold>>,
    /// Whether a record says more than counts.
    #[serde(default)]
    pub capped: bool,
    /// Absent: in no group.
    pub head: Option<Head>,
    pub grade: Option<Grade>,
    /// The grade that stood before.
    pub grade_before: Option<Grade>,
    /// The same of who was merged into it since its last sweep, which knew nothing of their debts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_grades: Vec<(Option<Grade>, Option<Grade>)>,
    pub ledger: Vec<Entry>,
    pub pieces: Vec<Piece>,
    pub guarantees: Vec<Guaranteed>,
    /// What the others of its group add to both, where they were looked for apart; [`Position::gathered`] puts them there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<(Vec<Piece>, Vec<Guaranteed>)>,
    pub rules: Vec<Known>,
    pub placed: Vec<Placed>,
    pub released: Vec<Released>,
    /// What was done of the order that is asked about. Absent: the order is not known.
    #[serde(default)]
    pub done: Option<Done>,
    /// Promises that are broken and not mended. Absent: not recorded.
    pub broken_promises: Option<u32>,
    /// Whether a debt is in the legal stage. Absent: not recorded.
    pub legal_stage: Option<u8>,
    /// Whether a limit that somebody asked for waits for a second key. Absent: not looked at.
    #[serde(default)]
    pub limit_waits: Option<u8>,
    /// Days from issue to due date of the latest invoice.
    pub usual_terms: Option<i64>,
    /// Whether money that names nothing goes to something else than the oldest due first. Absent: not looked at.
    #[serde(default)]
    pub other_order: Option<u8>,
}

impl Position {
    /// The same with what the others of its group add in its place.
    pub fn gathered(mut self) -> Self {
        if let Some((pieces, guarantees)) = self.members.take() {
            self.pieces.extend(pieces);
            self.guarantees.extend(guarantees);
        }
        self
    }

    /// The grade that says how far to trust it.
    pub fn trusted_grade(&self) -> Option<Grade> {
        let merged = self.merged_grades.iter().filter_map(|(grade, _)| *grade);
        advice::trusted_grade(self.grade, merged.max())
    }
}

/// All that a judgement rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub at: Instant,
    pub day: Date,
    pub question: NewCheck,
    pub position: Position,
    pub rates: Rates,
    /// What was invoiced or cancelled of the order and left away, because more of it is asked for on top of that.
    #[serde(default)]
    pub base_minor: i64,
}

/// A rule that failed, and on what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub rule: Id,
    pub kind: RuleKind,
    pub level: RuleLevel,
    pub verdict: Verdict,
    pub seen: Seen,
}

/// What a rule saw, and what it held it against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// The kind says it all.
    Plain,
    /// There is no limit, and the first one waits for a second key.
    Waiting,
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
    /// What holds it besides holds that stand. Absent: nothing.
    pub found: Option<Verdict>,
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
    let mut to = set(lines.into_iter().flatten().map(|line| line.currency));
    to.extend(asked.map(|money| money.currency));
    to.extend(position.currency);
    let own = |known: &Known| known.rule.amount.map(|money| money.currency);
    to.extend(position.rules.iter().filter_map(own));
    let mut from = to.clone();
    from.extend(position.pieces.iter().map(|piece| piece.currency));
    from.extend(position.done.map(|done| done.currency));
    from.extend(position.guarantees.iter().map(|of| of.currency));
    let pair = |from: &Currency| to.iter().map(|to| (*from, *to)).collect::<Vec<_>>();
    set(from.iter().flat_map(pair).filter(|(from, to)| from != to))
}

/// What is asked for where nothing is said.
fn purpose_of(question: &NewCheck) -> CheckPurpose {
    question.purpose.unwrap_or(CheckPurpose::Order)
}

/// Judges.
pub fn judge(inputs: &Inputs) -> Result<Judged, Refused> {
    let of_amount = |refused: Refused| match refused.field {
        None if refused.code == Refusal::RateMissing => refused.at("amount"),
        _ => refused,
    };
    let case = Case::new(inputs).map_err(of_amount)?;
    case.judge(&Supposed::default()).map_err(of_amount)
}

/// Whether an order with this verdict waits.
pub fn is_held(verdict: Verdict) -> bool {
    verdict >= Verdict::Hold
}

/// How much of what is asked for is not in the exposure yet, in the currency that is asked for.
pub fn added(inputs: &Inputs) -> Result<i64, Refused> {
    let counted = case::counted(inputs, case::is_known(inputs))?;
    Ok(inputs.question.amount.minor.saturating_sub(counted).max(0))
}

/// What of the order was done beside what is asked for: what was left away, and where what was cancelled is asked for anew
/// that too.
pub fn base(inputs: &Inputs) -> i64 {
    let anew = inputs.position.done.filter(|_| !case::is_known(inputs));
    inputs.base_minor.saturating_add(anew.map_or(0, |done| done.cancelled))
}

/// Whether something of the order that is asked about is still to leave the house.
pub fn is_waiting(inputs: &Inputs) -> bool {
    use ExposureComponent::{OrdersReserved, Undelivered};
    case::of_order(inputs).any(|of| matches!(of.component, OrdersReserved | Undelivered))
}

/// Whether nothing waits any more of all that is asked for: the order was recorded, and so much of it was delivered,
/// invoiced or cancelled.
pub fn is_over(inputs: &Inputs) -> Result<bool, Refused> {
    let asked = inputs.question.amount.minor;
    let known = inputs.position.done.is_some() && !is_waiting(inputs) && asked > 0;
    Ok(known && case::counted(inputs, true)? >= asked)
}

/// The other members of the group who owe something, by key, where its limit holds the order.
pub fn debtors(inputs: &Inputs, judged: &Judged) -> BTreeSet<i64> {
    let by_group = |of: &Reason| matches!(of.seen, Seen::Used { group: true, .. });
    let holds = judged.reasons.iter().any(|of| is_held(of.verdict) && by_group(of));
    let pieces = inputs.position.pieces.iter().filter(|_| holds && is_held(judged.verdict));
    let others = pieces.filter(|piece| piece.member != inputs.position.key && piece.is_invoice());
    others.map(|piece| piece.member).collect()
}

/// The answer to a check, without an id. The other members are named by what `ids` says of their keys.
pub fn answer(
    inputs: &Inputs,
    judged: &Judged,
    ids: &BTreeMap<i64, Id>,
    language: Language,
) -> Result<CheckResult, Refused> {
    let (position, question) = (&inputs.position, &inputs.question);
    let settings = Settings::of(&position.rules, Some(purpose_of(question)), inputs.day);
    let would_pass_if = match is_held(judged.verdict) {
        true => Some(condition::of(&Case::new(inputs)?, judged, ids, language)),
        false => None,
    };
    let advice = match judged.verdict {
        Verdict::Pass => Vec::new(),
        _ => advice::for_grade(position.trusted_grade()),
    };
    let is_short = question.terms_days.is_some_and(|days| days < 2);
    let fits = |advice: &TermsAdvice| *advice != TermsAdvice::ShorterTerms || !is_short;
    let advice: Vec<TermsAdvice> = advice.into_iter().filter(fits).collect();
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
        terms: terms(&advice, question, would_pass_if.as_ref(), language),
        advice,
        would_pass_if,
        hold_id: None,
        released_by: judged.released_by.clone(),
    })
}

/// Terms to offer, with what would make the order pass.
fn terms(
    advice: &[TermsAdvice],
    question: &NewCheck,
    way: Option<&PassCondition>,
    language: Language,
) -> Vec<TermsOffer> {
    let offer = |advice: &TermsAdvice| {
        let amount = match advice {
            TermsAdvice::Deposit => way.and_then(|way| way.prepayment),
            TermsAdvice::Guarantee => way.and_then(|way| way.guarantee),
            TermsAdvice::LargerLimit => {
                let limit = way.and_then(|way| way.limit.as_ref().or(way.group_limit.as_ref()));
                limit.map(|limit| Money::new(limit.minor, limit.currency))
            }
            TermsAdvice::Prepay => Some(question.amount),
            TermsAdvice::ShorterTerms => None,
        };
        let days = question.terms_days.filter(|_| *advice == TermsAdvice::ShorterTerms);
        let days = days.and_then(|days| days.checked_div(2));
        let detail = words::offer(*advice, amount.as_ref(), days, language);
        TermsOffer { advice: *advice, amount, days, detail }
    };
    advice.iter().map(offer).collect()
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

/// The exposure of a position, for which nothing is asked. The other members are named by what `ids` says of their keys.
pub fn exposure(inputs: &Inputs, ids: &BTreeMap<i64, Id>) -> Result<CreditExposure, Refused> {
    let case = Case::new(inputs)?;
    let judged = case.judge(&Supposed::default())?;
    Ok(CreditExposure {
        used: case.utilisation(&judged)?,
        customer: inputs.position.id.clone(),
        as_of: inputs.day,
        currency: judged.currency,
        parts: parts(inputs, &case.settings, &judged)?,
        members: case.members(judged.currency, ids)?,
        total_minor: judged.before.total,
        group_minor: judged.group_after_minor,
        limit: judged.limit,
    })
}

/// Which limit decided, in one sentence.
pub fn why(position: &Position, limits: &Limits, decided: Decided, language: Language) -> String {
    let temporary =
        limits.individual.as_ref().is_some_and(|line| line.kind == LimitKind::Temporary);
    let deciding = match decided {
        Decided::Individual => limits.individual.as_ref(),
        Decided::Group => limits.group.as_ref(),
        Decided::None | Decided::Unlimited => None,
    };
    // That of a record has no first day.
    match position.capped && deciding.is_some_and(|line| line.from.is_none()) {
        true => words::capped(language),
        false => words::why(decided, temporary, limits, language),
    }
}

mod case;
mod condition;
pub mod ready;

#[cfg(test)]
mod tests;
