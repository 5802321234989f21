//! What a check says until something changes: that it passes, whatever is asked for up to an amount.

use super::{
    Inputs, Judged, Position,
    case::{Case, Supposed},
    pairs, parts, purpose_of,
};
use crate::{
    Currency, Date, Instant,
    contract::credit::{
        CheckPurpose, CheckResult, EffectiveLimit, ExposurePart, NewCheck, RuleKind, Verdict,
    },
    credit::{
        exposure::is_listed,
        rule::{deciding, shipped},
    },
};

/// An answer that is known before anybody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    pub currency: Currency,
    /// The largest amount of which it is true.
    pub room_minor: i64,
    /// Before what is asked.
    pub total_minor: i64,
    pub limit: Option<EffectiveLimit>,
    pub exposure: Vec<ExposurePart>,
}

/// Whether a question may be answered by what is ready: it is of an order, and asks for no terms.
pub fn is_plain(question: &NewCheck) -> bool {
    purpose_of(question) == CheckPurpose::Order && question.terms_days.is_none()
}

/// Whether nothing in a position has a check of a day look at more than the amount that is asked for: nobody else of a
/// group, no hold, no release, and no rule about grades, which change with a sweep.
pub fn may_be_ready(of: &Position, day: Date) -> bool {
    let is_alone = of.merged.is_none() && of.head.is_none() && of.members.is_none();
    let order = Some(CheckPurpose::Order);
    let looks_back =
        !deciding(&of.rules, shipped(), RuleKind::ScoreDrop, None, order, day).is_empty();
    let is_free = of.placed.is_empty() && of.released.is_empty() && of.done.is_none();
    is_alone && is_free && !of.capped && !looks_back && is_listed(&of.pieces)
}

impl Ready {
    /// What is ready, from inputs that ask for nothing. Absent: each check looks by itself.
    pub fn of(inputs: &Inputs) -> Option<Self> {
        let (position, asked) = (&inputs.position, inputs.question.amount);
        if !may_be_ready(position, inputs.day)
            || !pairs(position, Some(asked), inputs.day).is_empty()
        {
            return None;
        }
        let case = Case::new(inputs).ok()?;
        let judged = case.judge(&Supposed::default()).ok().filter(is_free)?;
        let room_minor = case.room(&judged);
        // The rules have the last word.
        let most = Supposed { amount: Some(room_minor), ..Supposed::default() };
        let at_most = case.judge(&most).ok().filter(is_free)?;
        // Nowhere does the exposure grow by more than what is asked: where it grew by all of the most, nothing that is
        // asked is paid already or borne by a guarantee.
        let is_sum = at_most.after_minor == judged.before.total.saturating_add(room_minor);
        let exposure = parts(inputs, &case.settings, &judged).ok()?;
        (is_sum && judged.currency == asked.currency).then_some(Self {
            currency: asked.currency,
            room_minor,
            total_minor: judged.before.total,
            limit: judged.limit,
            exposure,
        })
    }
}

/// Whether nothing at all was found.
fn is_free(judged: &Judged) -> bool {
    judged.verdict == Verdict::Pass && judged.reasons.is_empty() && judged.released_by.is_none()
}

/// The answer to a question by what is ready, without its components.
pub fn told(
    question: &NewCheck,
    at: Instant,
    total_minor: i64,
    limit: Option<EffectiveLimit>,
) -> CheckResult {
    let NewCheck { customer, amount, order_id, .. } = question;
    CheckResult {
        id: None,
        customer: customer.clone(),
        at,
        amount: *amount,
        purpose: purpose_of(question),
        order_id: order_id.clone(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        exposure: Vec::new(),
        total_minor,
        after_minor: total_minor.saturating_add(amount.minor),
        group_after_minor: None,
        limit,
        terms: Vec::new(),
        advice: Vec::new(),
        would_pass_if: None,
        hold_id: None,
        released_by: None,
    }
}
