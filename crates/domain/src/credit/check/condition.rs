//! What would make a held check pass: each amount is guessed from what is too much and confirmed by judging with it,
//! and with one less.

use super::{
    Judged, Seen,
    case::{Case, Supposed},
    is_held,
};
use crate::{
    Id, Money,
    contract::{
        credit::{Contribution, ExposureComponent, PassCondition},
        types::Language,
    },
    credit::{exposure::Piece, words},
    money::MAX_MINOR,
};

/// More than what rounding takes off when a debt is paid that many guarantees secure.
const MARGIN: i64 = 1_000;

/// The most that the limit that is needed may be above what would be used, where a rule lets only a part of it be used.
const MOST_ABOVE: i64 = 1_000;

/// What would make it pass.
pub(super) fn of(case: &Case<'_>, judged: &Judged, language: Language) -> PassCondition {
    let rates = &case.inputs.rates;
    let asked = case.inputs.question.amount;
    let passes =
        |supposed: &Supposed| case.judge(supposed).is_ok_and(|judged| !is_held(judged.verdict));
    let excess = excess(case, judged);
    // Nobody needs to bring more than all there is with what is asked; what is secured of it falls with the debt.
    let all = judged.after_minor.max(judged.group_after_minor.unwrap_or(0)).max(0);
    let secured = judged.before.part(ExposureComponent::Secured).saturating_neg();
    let gross = all.saturating_add(secured);
    let gross = rates.up(gross, judged.currency, asked.currency).unwrap_or(MAX_MINOR);
    let most = gross.saturating_add(asked.minor.saturating_mul(2)).saturating_add(MARGIN);
    let enough = |of: fn(i64) -> Supposed| least(excess, most, |minor| passes(&of(minor)));
    let prepaid = |prepaid| Supposed { prepaid, ..Supposed::default() };
    let guaranteed = |guaranteed| Supposed { guaranteed, ..Supposed::default() };
    let limit = |limit| Supposed { limit: Some(limit), ..Supposed::default() };
    let limited = judged.limit.as_ref().filter(|limit| limit.minor.is_some()).and_then(|of| {
        let most = all.saturating_mul(MOST_ABOVE).min(MAX_MINOR);
        Some(Money::new(least(all, most, |minor| passes(&limit(minor)))?, of.currency))
    });
    let one = |minor: Option<i64>| minor.map(|minor| Money { minor, ..asked });
    let condition = PassCondition {
        amount: one(less(case, judged, excess, &passes)),
        prepayment: one(enough(prepaid)),
        guarantee: one(enough(guaranteed)),
        limit: limited,
        invoices: invoices(case, excess, passes),
        text: String::new(),
    };
    PassCondition { text: words::would_pass_if(&condition, judged, language), ..condition }
}

/// By how much the limits are exceeded at the most, in the currency asked for.
fn excess(case: &Case<'_>, judged: &Judged) -> i64 {
    let to = case.inputs.question.amount.currency;
    let held = judged.reasons.iter().filter(|of| is_held(of.verdict));
    let above = held.filter_map(|of| match &of.seen {
        Seen::Used { after, most, .. } => {
            let above = after.minor.saturating_sub(most.minor);
            case.inputs.rates.up(above, after.currency, to).ok()
        }
        _ => None,
    });
    above.max().unwrap_or(0)
}

/// The most that would pass in the place of what is asked.
fn less(
    case: &Case<'_>,
    judged: &Judged,
    excess: i64,
    passes: &impl Fn(&Supposed) -> bool,
) -> Option<i64> {
    let asked = case.inputs.question.amount;
    let with = |amount| Supposed { amount: Some(amount), ..Supposed::default() };
    let held = judged.reasons.iter().filter(|of| is_held(of.verdict));
    let bounds = held.filter_map(|of| match &of.seen {
        Seen::Amount(_, most) => {
            case.inputs.rates.down(most.minor, most.currency, asked.currency).ok()
        }
        _ => None,
    });
    let guess = bounds.fold(asked.minor.saturating_sub(excess), i64::min);
    if asked.minor < 1 || !passes(&with(1)) {
        return None;
    }
    // The least that is held is one more than the most that passes.
    let held = least(guess.saturating_add(1), asked.minor, |minor| !passes(&with(minor)));
    held.map(|held| held.saturating_sub(1)).filter(|most| *most > 0)
}

/// The least amount from 1 to `most` for which something that stays true holds, looked for from a guess outwards.
fn least(guess: i64, most: i64, holds: impl Fn(i64) -> bool) -> Option<i64> {
    if most < 1 {
        return None;
    }
    let guess = guess.clamp(1, most);
    let mut step = 1i64;
    let (mut below, mut found) = match holds(guess) {
        true => (0, guess),
        false if guess < most && holds(most) => (guess, most),
        false => return None,
    };
    let rises = found != guess;
    // Ever wider steps away from the guess until it lies between two, then halves.
    loop {
        let next = match rises {
            true => below.saturating_add(step),
            false => found.saturating_sub(step),
        };
        if next <= below || next >= found {
            break;
        }
        match holds(next) {
            true => found = next,
            false => below = next,
        }
        if (found == next) == rises {
            break;
        }
        step = step.saturating_mul(2);
    }
    while found.saturating_sub(below) > 1 {
        let middle = below.saturating_add(found.saturating_sub(below).div_euclid(2));
        match holds(middle) {
            true => found = middle,
            false => below = middle,
        }
    }
    Some(found)
}

/// The oldest invoices that are enough when they are paid.
fn invoices(case: &Case<'_>, excess: i64, passes: impl Fn(&Supposed) -> bool) -> Vec<Contribution> {
    use ExposureComponent as C;
    let position = &case.inputs.position;
    let own = position.pieces.iter().enumerate().filter(|(_, piece)| {
        let is_invoice = matches!(piece.component, C::OpenInvoices | C::OverdueInvoices);
        is_invoice && piece.member == position.key
    });
    let mut own: Vec<(usize, &Piece, &Id)> =
        own.filter_map(|(at, piece)| Some((at, piece, piece.id.as_ref()?))).collect();
    own.sort_by(|a, b| (a.1.due_on, a.2).cmp(&(b.1.due_on, b.2)));
    let count = i64::try_from(own.len()).unwrap_or(0);
    let first = |count: i64| {
        let count = usize::try_from(count).unwrap_or(0);
        let paid = own.iter().take(count).map(|(at, _, _)| *at).collect();
        Supposed { paid, ..Supposed::default() }
    };
    let (mut sum, mut guess) = (0i64, 0i64);
    for (_, piece, _) in &own {
        if sum >= excess {
            break;
        }
        let asked = case.inputs.question.amount.currency;
        let paid = case.inputs.rates.down(piece.minor, piece.currency, asked).unwrap_or(0);
        sum = sum.saturating_add(paid);
        guess = guess.saturating_add(1);
    }
    let Some(enough) = least(guess, count, |count| passes(&first(count))) else {
        return Vec::new();
    };
    let named = own.iter().take(usize::try_from(enough).unwrap_or(0));
    let told = |(_, piece, id): &(usize, &Piece, &Id)| Contribution {
        id: (*id).clone(),
        minor: piece.minor,
        currency: piece.currency,
    };
    named.map(told).collect()
}
