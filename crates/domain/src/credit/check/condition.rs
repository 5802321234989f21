//! What would make a held check pass: each amount is guessed from what is too much and confirmed by judging with it,
//! and with one less.

use super::{
    Judged, Seen,
    case::{Case, Supposed},
    is_held,
};
use crate::{
    Currency, Id, Money,
    contract::{
        credit::{
            Contribution, ExposureComponent, LimitKind, MemberPayment, NeededLimit, PassCondition,
        },
        types::Language,
    },
    credit::{exposure::Piece, words},
    money::MAX_MINOR,
};
use std::collections::{BTreeMap, BTreeSet};

/// More than what rounding takes off when a debt is paid that many guarantees secure.
const MARGIN: i64 = 1_000;

/// The most that the limit that is needed may be above what would be used, where a rule lets only a part of it be used.
const MOST_ABOVE: i64 = 1_000;

/// The most members whose paying is named: with more it is nobody's task.
const MAX_MEMBERS: usize = 20;

/// What would make it pass.
pub(super) fn of(
    case: &Case<'_>,
    judged: &Judged,
    ids: &BTreeMap<i64, Id>,
    language: Language,
) -> PassCondition {
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
    let (limit, group_limit) = limits(case, all, &passes);
    let one = |minor: Option<i64>| minor.map(|minor| Money { minor, ..asked });
    let invoices = invoices(case, excess, passes);
    let members = match invoices.is_empty() {
        true => members(case, excess, ids, passes),
        false => Vec::new(),
    };
    let condition = PassCondition {
        amount: one(less(case, judged, excess, &passes)),
        prepayment: one(enough(prepaid)),
        guarantee: one(enough(guaranteed)),
        limit,
        group_limit,
        invoices,
        members,
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

/// The least limits that are enough: the customer's own, else its group's, else both.
fn limits(
    case: &Case<'_>,
    all: i64,
    passes: &impl Fn(&Supposed) -> bool,
) -> (Option<NeededLimit>, Option<NeededLimit>) {
    let position = &case.inputs.position;
    let most = all.max(1).saturating_mul(MOST_ABOVE).min(MAX_MINOR);
    let with = |own: Option<i64>, group: Option<i64>| {
        passes(&Supposed { own, group, ..Supposed::default() })
    };
    let own = |minor: i64| NeededLimit {
        minor,
        currency: case.own_currency(),
        kind: case.limits.individual.as_ref().map_or(LimitKind::Individual, |line| line.kind),
        customer: position.id.clone(),
    };
    if let Some(enough) = least(all, most, |minor| with(Some(minor), None)) {
        return (Some(own(enough)), None);
    }
    let Some(head) = &position.head else { return (None, None) };
    let group = |minor: i64| NeededLimit {
        minor,
        currency: case.limits.group.as_ref().map_or(case.own_currency(), |line| line.currency),
        kind: LimitKind::Group,
        customer: head.id.clone(),
    };
    if let Some(enough) = least(all, most, |minor| with(None, Some(minor))) {
        return (None, Some(group(enough)));
    }
    let both = least(all, most, |minor| with(Some(minor), Some(most))).and_then(|of_own| {
        let of_group = least(all, most, |minor| with(Some(of_own), Some(minor)))?;
        Some((own(of_own), group(of_group)))
    });
    both.unzip()
}

/// Invoices that are enough when they are paid: the oldest, without those that are not needed.
fn invoices(case: &Case<'_>, excess: i64, passes: impl Fn(&Supposed) -> bool) -> Vec<Contribution> {
    let position = &case.inputs.position;
    let own = position.pieces.iter().enumerate();
    let own = own.filter(|(_, piece)| piece.is_invoice() && piece.member == position.key);
    let mut own: Vec<(usize, &Piece, &Id)> =
        own.filter_map(|(at, piece)| Some((at, piece, piece.id.as_ref()?))).collect();
    let is_contested = |piece: &Piece| piece.contested >= piece.minor;
    own.sort_by_key(|(_, piece, id)| (is_contested(piece), piece.due_on, *id));
    let count = i64::try_from(own.len()).unwrap_or(0);
    let paid = |paid: BTreeSet<usize>| passes(&Supposed { paid, ..Supposed::default() });
    let first = |count: i64| own.iter().take(usize::try_from(count).unwrap_or(0));
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
    let enough = least(guess, count, |count| paid(first(count).map(|(at, ..)| *at).collect()));
    let Some(enough) = enough else { return Vec::new() };
    let mut needed: BTreeSet<usize> = first(enough).map(|(at, ..)| *at).collect();
    let mut named: Vec<&(usize, &Piece, &Id)> = first(enough).collect();
    // What is contested is left out first, then the smallest.
    named.sort_by_key(|(_, piece, _)| (!is_contested(piece), piece.minor));
    for (at, ..) in named {
        needed.remove(at);
        if !paid(needed.clone()) {
            needed.insert(*at);
        }
    }
    let told = |(_, piece, id): &(usize, &Piece, &Id)| Contribution {
        id: (*id).clone(),
        minor: piece.minor,
        currency: piece.currency,
    };
    own.iter().filter(|(at, ..)| needed.contains(at)).map(told).collect()
}

/// What other members would have to pay: those who owe most, without those that are not needed, and the last of them no
/// more than is enough. What they pay is taken to be set against nothing, which is never more than what it does.
fn members(
    case: &Case<'_>,
    excess: i64,
    ids: &BTreeMap<i64, Id>,
    passes: impl Fn(&Supposed) -> bool,
) -> Vec<MemberPayment> {
    use ExposureComponent as C;
    let (asked, rates) = (case.inputs.question.amount, &case.inputs.rates);
    if [C::OpenInvoices, C::OverdueInvoices, C::Unapplied]
        .iter()
        .any(|of| !case.settings.counts(*of))
    {
        return Vec::new();
    }
    let mut sums: Vec<((i64, Currency), i64)> = Vec::new();
    for piece in case.inputs.position.pieces.iter().filter(|of| of.is_invoice()) {
        let of = (piece.member, piece.currency);
        match sums.iter_mut().find(|(known, _)| *known == of) {
            Some((_, sum)) => *sum = sum.saturating_add(piece.minor),
            None if ids.contains_key(&piece.member) => sums.push((of, piece.minor)),
            None => {}
        }
    }
    let worth = |(_, currency): &(i64, Currency), minor: i64| {
        rates.down(minor, *currency, asked.currency).unwrap_or(0)
    };
    // Who owes most first.
    let mut owing: Vec<((i64, Currency), i64)> = Vec::new();
    while owing.len() < MAX_MEMBERS && !sums.is_empty() {
        let places = sums.iter().enumerate();
        let most =
            places.max_by_key(|(at, (of, minor))| (worth(of, *minor), std::cmp::Reverse(*at)));
        let most = most.map_or(0, |(at, _)| at);
        owing.push(sums.remove(most));
    }
    let paid = |members: &[((i64, Currency), i64)]| {
        passes(&Supposed { members: members.to_vec(), ..Supposed::default() })
    };
    let first = |count: i64| owing.get(..usize::try_from(count).unwrap_or(0)).unwrap_or(&owing);
    let (mut sum, mut guess) = (0i64, 0i64);
    for (of, minor) in &owing {
        if sum >= excess {
            break;
        }
        sum = sum.saturating_add(worth(of, *minor));
        guess = guess.saturating_add(1);
    }
    let count = i64::try_from(owing.len()).unwrap_or(0);
    let Some(enough) = least(guess, count, |count| paid(first(count))) else { return Vec::new() };
    let mut needed = first(enough).to_vec();
    for (of, _) in first(enough).iter().rev() {
        let without: Vec<_> = needed.iter().filter(|(by, _)| by != of).copied().collect();
        if paid(&without) {
            needed = without;
        }
    }
    let Some(((whose, currency), all)) = needed.pop() else { return Vec::new() };
    let others = needed.iter().map(|(of, minor)| worth(of, *minor)).fold(0, i64::saturating_add);
    let rest = rates.up(excess.saturating_sub(others), asked.currency, currency).unwrap_or(all);
    let with = |minor: i64| {
        let mut with = needed.clone();
        with.push(((whose, currency), minor));
        with
    };
    let minor = least(rest, all, |minor| paid(&with(minor))).unwrap_or(all);
    let told = |((whose, currency), minor): ((i64, Currency), i64)| {
        Some(MemberPayment { customer: ids.get(&whose)?.clone(), minor, currency })
    };
    with(minor).into_iter().filter_map(told).collect()
}
