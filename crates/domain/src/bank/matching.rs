//! `bank-match@1`: what a credit of a bank statement pays.
//!
//! Signals of three kinds add points: which document is named, whether the amount fits, and who paid. They do not
//! depend on each other, so that two kinds which point the same way are seldom wrong together. What is booked without
//! anybody looking has [`ENOUGH`] points from at least two kinds, nothing that speaks against it as a whole (a number
//! that is too short, a document that is paid already, more money than is open), and no other candidate within
//! [`APART`] points. Money from an account that is known as one customer's, with no document that fits, goes to that
//! customer on account where the account stands in its record or the payer's name is like its own: an account that was
//! only taught may be that of somebody who pays for many. Everything else waits for somebody. The points of each signal stand in the contract's
//! `match-reason`.

use super::{
    Entry,
    name::Name,
    words::{self, Clues},
    world::{Customer, Elsewhere, Sight, Taken, World},
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

/// The most payments that came another way among which a sum is looked for.
pub const MOST_SUMMED: usize = 8;

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
        R::SumOfSeveral | R::PayerNameSimilar | R::SimilarNumber => 20,
        R::PayerNameDiffers => -15,
        R::AccountOfAnother | R::ReferenceUnknown => -30,
        R::PayerNameShared | R::PerhapsRepeated | R::PerhapsBooked | R::LaterDay => 0,
        R::PartPayment | R::OverPayment | R::AlreadyPaid | R::OnAccount => 0,
        R::WrittenOff | R::Ambiguous | R::DocumentVoid => 0,
        R::ReversalOfEntry => 100,
    }
}

/// Which of the three kinds of signal a reason is, as a bit, if it speaks for a candidate.
const fn kind(reason: MatchReason) -> u8 {
    use MatchReason as R;
    match reason {
        R::StructuredReference | R::InvoiceNumber | R::PartialNumber | R::SimilarNumber => 1,
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

    /// `own`: the account from which it came is one customer's, and that is no third party's.
    fn certain(&self, own: impl Fn() -> bool) -> bool {
        use MatchReason as R;
        let has = |reason: R| self.reasons.contains(&reason);
        let against =
            [R::AlreadyPaid, R::DocumentVoid, R::OverPayment, R::SumOfSeveral, R::ReferenceUnknown];
        if against.into_iter().any(has) {
            return false;
        }
        // A few digits stand in many texts: they are shown and decide nothing.
        let short = if has(R::ShortNumber) { points(R::ShortNumber) } else { 0 };
        if has(R::OnAccount) {
            return has(R::PayerAccount) && !has(R::Ambiguous) && own();
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
    let own = |customer: i64| {
        let known = || world.customers.get(&customer);
        let alike = || {
            known()
                .is_some_and(|known| clues.names().any(|payer| known.likeness(payer) >= Some(LIKE)))
        };
        world.of_account(entry).len() == 1 && (world.records(entry, customer) || alike())
    };
    let certain =
        proposals.first().is_some_and(|best| best.certain(|| own(best.customer))) && !near;
    let of_best = |of: &&Elsewhere| {
        of.named || proposals.first().is_some_and(|best| best.customer == of.customer)
    };
    let elsewhere = sight.elsewhere.iter().find(of_best);
    let certain = certain && !sight.repeated && !sight.later && elsewhere.is_none();
    // What names a payment and nothing else is thought to be its customer's.
    if let (Some(of), true) = (elsewhere, proposals.is_empty()) {
        proposals.push(Proposal::new(of.customer, Vec::new(), vec![MatchReason::OnAccount]));
    }
    if near && let Some(best) = proposals.first_mut() {
        best.reasons.push(MatchReason::Ambiguous);
    }
    for (against, reason) in [
        (sight.repeated, MatchReason::PerhapsRepeated),
        (elsewhere.is_some(), MatchReason::PerhapsBooked),
        (sight.later, MatchReason::LaterDay),
    ] {
        if let (true, Some(best)) = (against, proposals.first_mut()) {
            best.reasons.push(reason);
        }
    }
    // Beside what is certain nothing else is of any worth.
    proposals.truncate(if certain { 1 } else { KEPT });
    let numbered = proposals.iter().zip(1u32..);
    let mut candidates: Vec<Candidate> =
        numbered.filter_map(|(of, number)| candidate(of, number, world)).collect();
    if let (Some(of), Some(best)) = (elsewhere, candidates.first_mut()) {
        best.payment_id = Some(of.payment.clone());
    }
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

/// Whether a payer's name may be the customer's.
pub fn fits(payer: &Name, customer: &Name) -> bool {
    payer.likeness(customer) >= LIKE
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
        let mut payer = payer(*customer, clues, known, accounts);
        let named = world.of(*customer, &sight.named);
        let all = [named.as_slice(), world.of(*customer, &sight.lesser).as_slice()].concat();
        // Where the whole numbers do not explain the amount, the parts of others may.
        let sum = |of: &[(i64, MatchReason)]| {
            of.iter().fold(0i64, |sum, (document, _)| sum.saturating_add(world.open(*document)))
        };
        let of = if all.len() > named.len() && sum(&all) == entry.minor { &all } else { &named };
        let exact = named_of(entry, *customer, of, &payer, world, sight.unknown, &mut out);
        // A name that several customers have says nothing of which of them it is, unless a document does.
        if of_name.len() > 1
            && named.is_empty()
            && let Some(name) = payer.iter_mut().find(|reason| {
                matches!(reason, MatchReason::PayerName | MatchReason::PayerNameSimilar)
            })
        {
            *name = MatchReason::PayerNameShared;
        }
        if let Some(document) = mistaken(entry, *customer, currency, sight, world) {
            let reasons = with(&payer, &[MatchReason::SimilarNumber, MatchReason::AmountExact]);
            out.push(Proposal::new(*customer, vec![(document, entry.minor)], reasons));
            continue;
        }
        if sight.unknown {
            payer.push(MatchReason::ReferenceUnknown);
        }
        let several = !exact && unnamed(entry, *customer, currency, of, &payer, world, &mut out);
        if named.is_empty() {
            // Where the money may pay several choices of documents it is somebody's to say which.
            let why: &[MatchReason] = match several {
                true => &[MatchReason::OnAccount, MatchReason::Ambiguous],
                false => &[MatchReason::OnAccount],
            };
            out.push(Proposal::new(*customer, Vec::new(), with(&payer, why)));
        }
    }
    out
}

/// The one document that whoever wrote numbers of no document may have meant: its number is nearly each of them, and
/// the amount is what is open of it. A number above all of the customer's may be of a document that is still to come,
/// perhaps of the same amount: that is no mistake.
fn mistaken(
    entry: &Entry,
    customer: i64,
    currency: Currency,
    sight: &Sight,
    world: &World,
) -> Option<i64> {
    if sight.strange.is_empty() || !sight.named.is_empty() {
        return None;
    }
    let number = |document: i64| {
        let claim = world.first(document).filter(|claim| claim.currency == currency);
        Some((document, words::number(claim?.document_id.as_str())))
    };
    let theirs: Vec<(i64, String)> =
        world.documents(customer).iter().filter_map(|document| number(*document)).collect();
    let near = |(document, number): &&(i64, String)| {
        let nearly = |strange: &String| words::nearly(strange, number);
        world.open(*document) > 0 && sight.strange.iter().all(nearly)
    };
    let mut found = theirs.iter().filter(near);
    let (document, none) = (found.next()?.0, found.next());
    let to_come = |strange: &String| {
        theirs.iter().all(|(_, number)| number.len() != strange.len() || number < strange)
    };
    let meant = none.is_none() && !sight.strange.iter().any(to_come);
    (meant && world.open(document) == entry.minor).then_some(document)
}

fn with(payer: &[MatchReason], reasons: &[MatchReason]) -> Vec<MatchReason> {
    reasons.iter().chain(payer).copied().collect()
}

/// What speaks for this customer as the payer, and what against it. An account that is known says it all.
fn payer(customer: i64, clues: &Clues, known: &Customer, accounts: &[i64]) -> Vec<MatchReason> {
    if accounts.contains(&customer) {
        return vec![MatchReason::PayerAccount];
    }
    let mut reasons = Vec::new();
    if !accounts.is_empty() {
        reasons.push(MatchReason::AccountOfAnother);
    }
    match clues.names().filter_map(|name| known.likeness(name)).max() {
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
    let owed: Vec<(i64, i64)> = named
        .iter()
        .map(|(of, _)| (*of, world.open(*of).saturating_add(world.written_off(*of))))
        .filter(|(_, owed)| *owed > 0)
        .collect();
    let all = owed.iter().fold(0i64, |sum, (_, owed)| sum.saturating_add(*owed));
    if all == 0 {
        let void = |of: &(i64, R)| world.first(of.0).is_some_and(|claim| claim.void);
        let reasons: &[R] = match named.iter().filter(|of| void(of)).count() {
            0 => &[reference, R::AlreadyPaid],
            of if of == named.len() => &[reference, R::DocumentVoid],
            _ => &[reference, R::AlreadyPaid, R::DocumentVoid],
        };
        add(Vec::new(), reasons);
        return false;
    }
    if total == 0 {
        return recovered(minor, (&owed, all), named.len() == 1, reference, add);
    }
    if total == minor {
        add(open, &[reference, R::AmountExact]);
        return true;
    }
    let next = |document: i64| {
        let of = world.claims(document).iter();
        of.map(|claim| claim.open_minor).find(|open| *open > 0)
    };
    let all_of = |(_, open): &&(i64, i64)| *open == minor;
    let next_of = |(document, _): &&(i64, i64)| next(*document) == Some(minor);
    let mut of: Vec<i64> = open.iter().filter(all_of).map(|(document, _)| *document).collect();
    if of.is_empty() {
        of = open.iter().filter(next_of).map(|(document, _)| *document).collect();
    }
    // Of several that it may pay none is before the others: somebody says which.
    for document in &of {
        add(vec![(*document, minor)], &[reference, R::AmountExact]);
    }
    if !of.is_empty() {
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
        if all > total {
            return recovered(minor, (&owed, all), named.len() == 1, reference, add);
        }
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

/// Money for documents of which nothing or less than it is open, and more was written off: with that they are what is named.
/// Whether the amount fits.
fn recovered(
    minor: i64,
    (owed, all): (&[(i64, i64)], i64),
    alone: bool,
    reference: MatchReason,
    mut add: impl FnMut(Vec<(i64, i64)>, &[MatchReason]),
) -> bool {
    use MatchReason as R;
    let one: Vec<(i64, i64)> = owed.iter().filter(|(_, of)| *of == minor).copied().collect();
    if all == minor {
        add(owed.to_vec(), &[reference, R::AmountExact, R::WrittenOff]);
        return true;
    }
    for of in &one {
        add(vec![*of], &[reference, R::AmountExact, R::WrittenOff]);
    }
    if !one.is_empty() {
        return true;
    }
    let mut left = minor;
    let mut parts = owed.to_vec();
    for (_, part) in &mut parts {
        *part = left.min(*part);
        left = left.saturating_sub(*part);
    }
    parts.retain(|(_, part)| *part > 0);
    // Which of several was paid in part cannot be told.
    match (left, alone) {
        (0, true) => add(parts, &[reference, R::PartPayment, R::WrittenOff]),
        (0, false) => add(parts, &[reference, R::PartPayment, R::OverPayment, R::WrittenOff]),
        _ => add(parts, &[reference, R::OverPayment, R::WrittenOff]),
    }
    false
}

/// What is open of a document less the discount of its terms.
fn discounted(document: i64, day: Date, world: &World) -> Option<i64> {
    match world.claims(document) {
        [claim] => claim.discounted(day),
        _ => None,
    }
}

/// Proposals from the amount alone, for a customer who is known by account or name, and whether several choices of
/// documents sum to it.
fn unnamed(
    entry: &Entry,
    customer: i64,
    currency: Currency,
    named: &[(i64, MatchReason)],
    payer: &[MatchReason],
    world: &World,
    out: &mut Vec<Proposal>,
) -> bool {
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
                let oldest: Vec<(i64, i64)> =
                    open.iter().take(count.saturating_add(1)).copied().collect();
                // Whoever pays all that is due may name one of it, mostly the first.
                let has = |of: &&(i64, R)| oldest.iter().any(|(document, _)| *document == of.0);
                let reasons =
                    match named.iter().map(|(_, reason)| *reason).min_by_key(|r| points(*r)) {
                        Some(reason) if named.iter().all(|of| has(&of)) => {
                            vec![reason, R::SumOfOldest]
                        }
                        _ => vec![R::SumOfOldest],
                    };
                out.push(Proposal::new(customer, oldest, with(payer, &reasons)));
            }
            break;
        }
    }
    if out.len() > before {
        return false;
    }
    match sums(open.get(..OLDEST.min(open.len())).unwrap_or_default(), minor) {
        Sums::One(parts) => {
            out.push(Proposal::new(customer, parts, with(payer, &[R::SumOfSeveral])));
            false
        }
        Sums::Several => true,
        Sums::None => false,
    }
}

/// The first of two or more amounts that sum to one, where some do: of at most eight.
pub fn summing(parts: &[i64], minor: i64) -> Option<usize> {
    let parts = parts.get(..MOST_SUMMED.min(parts.len())).unwrap_or_default();
    let parts: Vec<(i64, i64)> = (0i64..).zip(parts.iter().copied()).collect();
    match sums(&parts, minor) {
        Sums::One(of) => usize::try_from(of.first()?.0).ok(),
        Sums::Several => Some(0),
        Sums::None => None,
    }
}

/// The choices of two or more documents that sum to an amount.
enum Sums {
    None,
    One(Vec<(i64, i64)>),
    Several,
}

fn sums(open: &[(i64, i64)], minor: i64) -> Sums {
    let mut found: Option<u32> = None;
    let all = u32::try_from(open.len()).ok().and_then(|bits| 1u32.checked_shl(bits)).unwrap_or(1);
    for choice in 1u32..all {
        if choice.count_ones() < 2 {
            continue;
        }
        let chosen = |at: u32| choice.checked_shr(at).is_some_and(|bits| bits & 1 == 1);
        let sum = open.iter().zip(0u32..).filter(|(_, at)| chosen(*at));
        if sum.fold(0i64, |sum, ((_, part), _)| sum.saturating_add(*part)) == minor {
            if found.is_some() {
                return Sums::Several;
            }
            found = Some(choice);
        }
    }
    let Some(choice) = found else { return Sums::None };
    let chosen = |at: u32| choice.checked_shr(at).is_some_and(|bits| bits & 1 == 1);
    Sums::One(open.iter().zip(0u32..).filter(|(_, at)| chosen(*at)).map(|(of, _)| *of).collect())
}

#[cfg(test)]
mod tests;
