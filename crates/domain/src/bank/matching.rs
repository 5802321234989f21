//! `bank-match@1`: what a credit of a bank statement pays.
//!
//! Signals of three kinds add points: which document is named, whether the amount fits, and who paid. They do not
//! depend on each other, so that two kinds which point the same way are seldom wrong together. What is booked without
//! anybody looking has [`ENOUGH`] points from at least two kinds, nothing that speaks against it as a whole (a number
//! that is too short, a document that is paid already, more money than is open), and no other candidate within
//! [`APART`] points. Money from an account that is known as one customer's, with no document that fits, goes to that
//! customer on account. Everything else waits for somebody. The points of each signal stand in the contract's
//! `match-reason`.

use super::{
    Entry,
    name::Name,
    words::Clues,
    world::{Customer, Sight, Taken, World},
};
use crate::{
    Currency, Date, Decimal,
    contract::{
        bank::{Candidate, MatchReason, MatchState},
        types::Designation,
    },
};

/// The rule and its version.
pub const RULE: &str = "bank-match@1";

/// The points from which a candidate is booked without anybody looking.
const ENOUGH: i64 = 65;

/// How far the next candidate must be behind.
const APART: i64 = 25;

/// The most candidates that are kept of an entry.
const KEPT: usize = 5;

/// The oldest claims among which a sum is looked for: 4,095 sums.
const OLDEST: usize = 12;

/// A name from so many hundredths on is like the customer's, and below so many it is another.
const LIKE: u32 = 66;
const UNLIKE: u32 = 34;

/// What an entry was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: MatchState,
    /// Of what is booked: the customer, and documents with amounts.
    pub booked: Option<(i64, Vec<(i64, i64)>)>,
    pub candidates: Vec<Candidate>,
}

impl Verdict {
    /// Of an entry that another statement had before.
    pub fn already_booked() -> Self {
        Self { state: MatchState::AlreadyBooked, booked: None, candidates: Vec::new() }
    }
}

#[derive(Clone, Debug)]
struct Proposal {
    customer: i64,
    designation: Vec<(i64, i64)>,
    points: i64,
    reasons: Vec<MatchReason>,
}

/// What a reason adds to the score, in hundredths.
pub const fn points(reason: MatchReason) -> i64 {
    use MatchReason as R;
    match reason {
        R::StructuredReference => 55,
        R::InvoiceNumber => 45,
        R::PartialNumber => 25,
        R::ShortNumber => 10,
        R::AmountExact | R::PayerAccount => 35,
        R::AmountWithinDiscount | R::PartsClose | R::SumOfOldest | R::PayerName => 30,
        R::SumOfSeveral | R::PayerNameSimilar => 20,
        R::PayerNameDiffers => -20,
        R::AccountOfAnother | R::ReferenceUnknown => -30,
        R::PayerNameShared | R::PerhapsRepeated => 0,
        R::PartPayment | R::OverPayment | R::AlreadyPaid | R::OnAccount | R::Ambiguous => 0,
        R::ReversalOfEntry => 100,
    }
}

/// Which of the three kinds of signal a reason is, as a bit, if it speaks for a candidate.
const fn kind(reason: MatchReason) -> u8 {
    use MatchReason as R;
    match reason {
        R::StructuredReference | R::InvoiceNumber | R::PartialNumber => 1,
        R::AmountExact | R::AmountWithinDiscount | R::PartsClose | R::SumOfOldest => 2,
        R::PayerAccount | R::PayerName | R::PayerNameSimilar => 4,
        _ => 0,
    }
}

impl Proposal {
    fn new(customer: i64, designation: Vec<(i64, i64)>, reasons: Vec<MatchReason>) -> Self {
        let points = reasons.iter().fold(0i64, |sum, reason| sum.saturating_add(points(*reason)));
        Self { customer, designation, points, reasons }
    }

    fn certain(&self, accounts: usize) -> bool {
        use MatchReason as R;
        let has = |reason: R| self.reasons.contains(&reason);
        let against = [R::AlreadyPaid, R::OverPayment, R::SumOfSeveral, R::ReferenceUnknown];
        if against.into_iter().any(has) {
            return false;
        }
        // A few digits stand in many texts: they are shown and decide nothing.
        let short = if has(R::ShortNumber) { points(R::ShortNumber) } else { 0 };
        if has(R::OnAccount) {
            return has(R::PayerAccount) && accounts == 1;
        }
        let kinds = self.reasons.iter().fold(0u8, |kinds, reason| kinds | kind(*reason));
        kinds.count_ones() > 1 && self.points.saturating_sub(short) >= ENOUGH
    }
}

/// Says what an entry is, and takes what it pays off what is open for the entries that follow.
pub fn judge(
    entry: &Entry,
    clues: &Clues,
    sight: &Sight,
    currency: Currency,
    world: &mut World,
    taken: &mut Taken,
) -> Verdict {
    if entry.minor <= 0 || entry.reversal {
        // What takes back an entry is looked for where earlier ones are known.
        let state = if entry.reversal { MatchState::Review } else { MatchState::Unmatched };
        return Verdict { state, booked: None, candidates: Vec::new() };
    }
    let mut proposals = propose(entry, clues, sight, currency, world);
    proposals.sort_by(|a, b| b.points.cmp(&a.points).then(a.designation.cmp(&b.designation)));
    proposals.dedup_by(|b, a| a.customer == b.customer && a.designation == b.designation);
    let near = proposals.get(1).is_some_and(|next| {
        proposals.first().is_some_and(|best| best.points.saturating_sub(next.points) < APART)
    });
    let accounts = world.of_account(entry).len();
    let certain = proposals.first().is_some_and(|best| best.certain(accounts)) && !near;
    let certain = certain && !sight.repeated;
    if near && let Some(best) = proposals.first_mut() {
        best.reasons.push(MatchReason::Ambiguous);
    }
    if sight.repeated
        && let Some(best) = proposals.first_mut()
    {
        best.reasons.push(MatchReason::PerhapsRepeated);
    }
    // Beside what is certain nothing else is of any worth.
    proposals.truncate(if certain { 1 } else { KEPT });
    let numbered = proposals.iter().zip(1u32..);
    let candidates = numbered.filter_map(|(of, number)| candidate(of, number, world)).collect();
    let booked = proposals.into_iter().next().filter(|_| certain);
    if let Some(best) = &booked {
        world.take(best.customer, &best.designation, entry.minor, currency, taken);
    }
    Verdict {
        state: if certain { MatchState::Automatic } else { MatchState::Review },
        booked: booked.map(|best| (best.customer, best.designation)),
        candidates,
    }
}

fn candidate(proposal: &Proposal, number: u32, world: &World) -> Option<Candidate> {
    let named = |(document, minor): &(i64, i64)| {
        Some(Designation { invoice_id: world.first(*document)?.document_id.clone(), minor: *minor })
    };
    let designation: Vec<Designation> = proposal.designation.iter().filter_map(named).collect();
    Some(Candidate {
        number,
        customer_id: world.customers.get(&proposal.customer)?.id.clone(),
        designation: (!designation.is_empty()).then_some(designation),
        payment_id: None,
        score: Decimal::new(proposal.points.clamp(0, 100), 2),
        reasons: proposal.reasons.clone(),
    })
}

fn propose(
    entry: &Entry,
    clues: &Clues,
    sight: &Sight,
    currency: Currency,
    world: &World,
) -> Vec<Proposal> {
    let accounts = world.of_account(entry);
    let of_name = world.of_name(clues);
    let mut out = Vec::new();
    for customer in &sight.customers {
        let Some(known) = world.customers.get(customer) else { continue };
        let mut payer = payer(*customer, clues.name.as_ref(), known, accounts);
        let named = world.of(*customer, &sight.named);
        let all = [named.as_slice(), world.of(*customer, &sight.lesser).as_slice()].concat();
        // Where the whole numbers do not explain the amount, the parts of others may.
        let sum = |of: &[(i64, MatchReason)]| {
            of.iter().fold(0i64, |sum, (document, _)| sum.saturating_add(world.open(*document)))
        };
        let of = if all.len() > named.len() && sum(&all) == entry.minor { &all } else { &named };
        let exact = named_of(entry, *customer, of, &payer, world, sight.unknown, &mut out);
        // A name that several customers have says nothing of which of them it is.
        if of_name.len() > 1
            && let Some(name) = payer.iter_mut().find(|reason| {
                matches!(reason, MatchReason::PayerName | MatchReason::PayerNameSimilar)
            })
        {
            *name = MatchReason::PayerNameShared;
        }
        if sight.unknown {
            payer.push(MatchReason::ReferenceUnknown);
        }
        if !exact {
            unnamed(entry, *customer, currency, &payer, world, &mut out);
        }
        if named.is_empty() {
            out.push(Proposal::new(*customer, Vec::new(), with(&payer, &[MatchReason::OnAccount])));
        }
    }
    out
}

fn with(payer: &[MatchReason], reasons: &[MatchReason]) -> Vec<MatchReason> {
    reasons.iter().chain(payer).copied().collect()
}

/// What speaks for this customer as the payer, and what against it. An account that is known says it all.
fn payer(
    customer: i64,
    name: Option<&Name>,
    known: &Customer,
    accounts: &[i64],
) -> Vec<MatchReason> {
    if accounts.contains(&customer) {
        return vec![MatchReason::PayerAccount];
    }
    let mut reasons = Vec::new();
    if !accounts.is_empty() {
        reasons.push(MatchReason::AccountOfAnother);
    }
    match name.map(|name| name.likeness(&known.name)) {
        Some(100) => reasons.push(MatchReason::PayerName),
        Some(LIKE..) => reasons.push(MatchReason::PayerNameSimilar),
        Some(..UNLIKE) => reasons.push(MatchReason::PayerNameDiffers),
        _ => {}
    }
    reasons
}

/// Proposals from the documents that are named, and whether an amount fits.
fn named_of(
    entry: &Entry,
    customer: i64,
    named: &[(i64, MatchReason)],
    payer: &[MatchReason],
    world: &World,
    unknown: bool,
    out: &mut Vec<Proposal>,
) -> bool {
    use MatchReason as R;
    // The weakest of what names them.
    let Some(reference) = named.iter().map(|(_, r)| *r).min_by_key(|r| points(*r)) else {
        return false;
    };
    let minor = entry.minor;
    let open: Vec<(i64, i64)> = named
        .iter()
        .map(|(document, _)| (*document, world.open(*document)))
        .filter(|(_, open)| *open > 0)
        .collect();
    let mut add = |designation: Vec<(i64, i64)>, reasons: &[R]| {
        let mut reasons = with(payer, reasons);
        // The rest of the money may be for what is named and not there.
        if unknown && !reasons.contains(&R::AmountExact) {
            reasons.push(R::ReferenceUnknown);
        }
        out.push(Proposal::new(customer, designation, reasons));
    };
    let total = open.iter().fold(0i64, |sum, (_, open)| sum.saturating_add(*open));
    if total == 0 {
        add(Vec::new(), &[reference, R::AlreadyPaid]);
        return false;
    }
    if total == minor {
        add(open, &[reference, R::AmountExact]);
        return true;
    }
    let next = |document: i64| {
        let of = world.claims(document).iter();
        of.map(|claim| claim.open_minor).find(|open| *open > 0)
    };
    let one = open.iter().find(|(document, open)| *open == minor || next(*document) == Some(minor));
    if let Some((document, _)) = one {
        add(vec![(*document, minor)], &[reference, R::AmountExact]);
        return true;
    }
    let day = entry.booked_on.unwrap_or(Date::LAST);
    let discounted: Vec<(i64, i64)> = open
        .iter()
        .map(|(document, open)| (*document, discounted(*document, day, world).unwrap_or(*open)))
        .collect();
    if discounted.iter().fold(0i64, |sum, (_, part)| sum.saturating_add(*part)) == minor {
        add(discounted, &[reference, R::AmountWithinDiscount]);
        return true;
    }
    if let [(document, open)] = open.as_slice()
        && world.closes(*document)
        && minor < *open
    {
        add(vec![(*document, minor)], &[reference, R::PartsClose]);
        return true;
    }
    if minor > total {
        add(open, &[reference, R::OverPayment]);
        return false;
    }
    let mut left = minor;
    let mut parts: Vec<(i64, i64)> = Vec::new();
    for (document, open) in open {
        let part = open.min(left);
        left = left.saturating_sub(part);
        if part > 0 {
            parts.push((document, part));
        }
    }
    // Which of several was paid in part cannot be told.
    let reasons: &[R] = if parts.len() == 1 && named.len() == 1 {
        &[reference, R::PartPayment]
    } else {
        &[reference, R::PartPayment, R::OverPayment]
    };
    add(parts, reasons);
    false
}

/// What is open of a document less the discount of its terms.
fn discounted(document: i64, day: Date, world: &World) -> Option<i64> {
    match world.claims(document) {
        [claim] => claim.discounted(day),
        _ => None,
    }
}

/// Proposals from the amount alone, for a customer who is known by account or name.
fn unnamed(
    entry: &Entry,
    customer: i64,
    currency: Currency,
    payer: &[MatchReason],
    world: &World,
    out: &mut Vec<Proposal>,
) {
    use MatchReason as R;
    let minor = entry.minor;
    let day = entry.booked_on.unwrap_or(Date::LAST);
    let in_currency =
        |document: &&i64| world.first(**document).is_some_and(|c| c.currency == currency);
    let open: Vec<(i64, i64)> = world
        .documents(customer)
        .iter()
        .filter(in_currency)
        .map(|document| (*document, world.open(*document)))
        .filter(|(_, open)| *open > 0)
        .collect();
    let before = out.len();
    let mut add = |designation: Vec<(i64, i64)>, reason: R| {
        out.push(Proposal::new(customer, designation, with(payer, &[reason])));
    };
    for (document, open) in &open {
        let next = world.claims(*document).iter();
        let next = next.map(|claim| claim.open_minor).find(|open| *open > 0);
        if *open == minor || next == Some(minor) {
            add(vec![(*document, minor)], R::AmountExact);
        } else if discounted(*document, day, world) == Some(minor) {
            add(vec![(*document, minor)], R::AmountWithinDiscount);
        }
    }
    let mut sum = 0i64;
    for (count, (_, part)) in open.iter().enumerate() {
        sum = sum.saturating_add(*part);
        if sum >= minor {
            if sum == minor && count > 0 {
                add(open.iter().take(count.saturating_add(1)).copied().collect(), R::SumOfOldest);
            }
            break;
        }
    }
    if out.len() == before
        && let Some(parts) = only_sum(open.get(..OLDEST.min(open.len())).unwrap_or_default(), minor)
    {
        out.push(Proposal::new(customer, parts, with(payer, &[R::SumOfSeveral])));
    }
}

/// The only choice of two or more that sums to the amount.
fn only_sum(open: &[(i64, i64)], minor: i64) -> Option<Vec<(i64, i64)>> {
    let mut found: Option<u32> = None;
    for choice in 1u32..1u32.checked_shl(u32::try_from(open.len()).ok()?)? {
        if choice.count_ones() < 2 {
            continue;
        }
        let chosen = |at: u32| choice.checked_shr(at).is_some_and(|bits| bits & 1 == 1);
        let sum = open.iter().zip(0u32..).filter(|(_, at)| chosen(*at));
        if sum.fold(0i64, |sum, ((_, part), _)| sum.saturating_add(*part)) == minor {
            if found.is_some() {
                return None;
            }
            found = Some(choice);
        }
    }
    let choice = found?;
    let chosen = |at: u32| choice.checked_shr(at).is_some_and(|bits| bits & 1 == 1);
    Some(open.iter().zip(0u32..).filter(|(_, at)| chosen(*at)).map(|(of, _)| *of).collect())
}

#[cfg(test)]
mod tests;
