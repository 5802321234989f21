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
    words::{Clues, MOST_NAMED, TELLING_DIGITS},
};
use crate::{
    Currency, Date, Decimal, Id,
    contract::{
        bank::{Candidate, MatchReason, MatchState},
        types::Designation,
    },
    decimal,
};
use std::collections::{BTreeMap, HashMap};

/// The rule and its version.
pub const RULE: &str = "bank-match@1";

/// The points from which a candidate is booked without anybody looking.
const ENOUGH: i64 = 65;

/// How far the next candidate must be behind.
const APART: i64 = 25;

/// The most candidates that are kept of an entry.
const KEPT: usize = 5;

/// The most customers that are looked at for one entry: more with one name or number are no clue.
const MOST_CUSTOMERS: usize = 10;

/// The oldest claims among which a sum is looked for: 4,095 sums.
const OLDEST: usize = 12;

/// A name from so many hundredths on is like the customer's, and below so many it is another.
const LIKE: u32 = 66;
const UNLIKE: u32 = 34;

/// A claim that is open, or a document that is named and paid.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The claim, and the document it is a part of or itself.
    pub key: i64,
    pub document: i64,
    pub document_id: Id,
    pub customer: i64,
    pub currency: Currency,
    pub issued_on: Date,
    pub due_on: Date,
    pub amount_minor: i64,
    pub open_minor: i64,
    /// The share of the discount of its terms, and for how many days.
    pub discount: Option<(Decimal, i64)>,
}

impl Claim {
    /// What is open less the discount on this day, where there is one.
    fn discounted(&self, day: Date) -> Option<i64> {
        let (share, days) = self.discount?;
        let whole = self.open_minor == self.amount_minor;
        let in_time = day.days_since(self.issued_on) <= days;
        let off = share.checked_mul(Decimal::from(self.amount_minor))?;
        let off = i64::try_from(decimal::round(off, 0)).ok()?;
        (whole && in_time && off > 0).then(|| self.open_minor.saturating_sub(off))
    }
}

/// A customer that an entry may come from.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: Id,
    pub name: Name,
}

/// What the ledger has for a slice of entries.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub customers: BTreeMap<i64, Customer>,
    /// By document; documents that are paid have claims with nothing open.
    claims: BTreeMap<i64, Vec<Claim>>,
    /// Documents of each customer, the one due first at the front.
    documents: BTreeMap<i64, Vec<i64>>,
    /// Documents by number, and whether it is the whole one.
    numbers: HashMap<String, Vec<(i64, bool)>>,
    accounts: HashMap<String, Vec<i64>>,
    names: HashMap<String, Vec<i64>>,
    /// Documents that several entries of the slice pay to the end.
    closing: Vec<i64>,
}

impl World {
    pub fn number(&mut self, number: String, document: i64, whole: bool) {
        self.numbers.entry(number).or_default().push((document, whole));
    }

    pub fn account(&mut self, account: String, customer: i64) {
        self.accounts.entry(account).or_default().push(customer);
    }

    pub fn name(&mut self, name: String, customer: i64) {
        self.names.entry(name).or_default().push(customer);
    }

    /// Adds a claim. Claims come in the order of their due dates.
    pub fn claim(&mut self, claim: Claim) {
        let of = self.claims.entry(claim.document).or_default();
        if of.is_empty() {
            self.documents.entry(claim.customer).or_default().push(claim.document);
        }
        of.push(claim);
    }

    /// Notes which documents are paid to the end by several entries of the slice together.
    pub fn sum_up<'a>(&mut self, entries: impl Iterator<Item = (&'a Entry, &'a Clues, Currency)>) {
        let mut sums: BTreeMap<i64, (i64, u32)> = BTreeMap::new();
        for (entry, clues, currency) in entries.filter(|(entry, _, _)| entry.minor > 0) {
            let named = self.named(clues, currency);
            if let [(document, reason)] = named.as_slice()
                && points(*reason) >= points(MatchReason::InvoiceNumber)
            {
                let sum = sums.entry(*document).or_default();
                *sum = (sum.0.saturating_add(entry.minor), sum.1.saturating_add(1));
            }
        }
        let closing = |(document, (sum, count)): (i64, (i64, u32))| {
            (count > 1 && sum == self.open(document)).then_some(document)
        };
        self.closing = sums.into_iter().filter_map(closing).collect();
    }

    fn open(&self, document: i64) -> i64 {
        let of = self.claims.get(&document).map(Vec::as_slice).unwrap_or_default();
        of.iter().fold(0, |sum, claim| sum.saturating_add(claim.open_minor))
    }

    fn id(&self, document: i64) -> Option<&Claim> {
        self.claims.get(&document)?.first()
    }

    /// The documents an entry names, each with the best way it does so. Parts of numbers count only where no whole
    /// number is named.
    fn named(&self, clues: &Clues, currency: Currency) -> Vec<(i64, MatchReason)> {
        let mut found: Vec<(i64, MatchReason)> = Vec::new();
        let mut add = |document: i64, reason: MatchReason| match found
            .iter_mut()
            .find(|(of, _)| *of == document)
        {
            Some((_, best)) if points(reason) > points(*best) => *best = reason,
            Some(_) => {}
            None => found.push((document, reason)),
        };
        for text in &clues.structured {
            for (document, _) in self.numbers.get(text).into_iter().flatten() {
                add(*document, MatchReason::StructuredReference);
            }
        }
        for text in &clues.numbers {
            for (document, whole) in self.numbers.get(text).into_iter().flatten() {
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                let reason = match whole {
                    // A short number without letters may be a year, a day or an amount.
                    true if digits >= TELLING_DIGITS || digits < text.chars().count() => {
                        MatchReason::InvoiceNumber
                    }
                    false if digits >= TELLING_DIGITS => MatchReason::PartialNumber,
                    _ => MatchReason::ShortNumber,
                };
                add(*document, reason);
            }
        }
        found.retain(|(document, _)| {
            self.id(*document).is_some_and(|claim| claim.currency == currency)
        });
        let best = found.iter().map(|(_, reason)| points(*reason)).max().unwrap_or(0);
        let whole = points(MatchReason::InvoiceNumber);
        found.retain(|(_, reason)| points(*reason) >= best.min(whole));
        found.sort_unstable_by_key(|(document, _)| *document);
        found.truncate(MOST_NAMED);
        found
    }

    /// What was taken off claims by what was booked.
    fn take(&mut self, best: &Proposal, minor: i64, currency: Currency, taken: &mut Taken) {
        let mut left = minor;
        let mut named = best.designation.clone();
        if named.is_empty() {
            let of = self.documents.get(&best.customer).into_iter().flatten().copied();
            let of = of.filter(|of| self.id(*of).is_some_and(|claim| claim.currency == currency));
            named = of.map(|document| (document, i64::MAX)).collect();
        }
        for (document, most) in named {
            let mut most = most.min(left);
            for claim in self.claims.get_mut(&document).into_iter().flatten() {
                let part = claim.open_minor.min(most);
                claim.open_minor = claim.open_minor.saturating_sub(part);
                most = most.saturating_sub(part);
                left = left.saturating_sub(part);
                if part > 0 {
                    let sum = taken.0.entry(claim.key).or_default();
                    *sum = sum.saturating_add(part);
                }
            }
        }
    }
}

/// What earlier entries of the same file took off claims, by the claim's key: the ledger knows it only at the end.
#[derive(Clone, Debug, Default)]
pub struct Taken(HashMap<i64, i64>);

impl Taken {
    /// What is open of a claim after that.
    pub fn left(&self, claim: i64, open_minor: i64) -> i64 {
        open_minor.saturating_sub(self.0.get(&claim).copied().unwrap_or(0)).max(0)
    }
}

/// What an entry was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: MatchState,
    /// Of what is booked: the customer, and documents with amounts.
    pub booked: Option<(i64, Vec<(i64, i64)>)>,
    pub candidates: Vec<Candidate>,
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
        R::AccountOfAnother => -30,
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
        if [R::AlreadyPaid, R::OverPayment, R::SumOfSeveral].into_iter().any(has) {
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
    currency: Currency,
    world: &mut World,
    taken: &mut Taken,
) -> Verdict {
    if entry.minor <= 0 || entry.reversal {
        // What takes back an entry is looked for where earlier ones are known.
        let state = if entry.reversal { MatchState::Review } else { MatchState::Unmatched };
        return Verdict { state, booked: None, candidates: Vec::new() };
    }
    let accounts = entry.account.as_ref().and_then(|account| world.accounts.get(account));
    let accounts = accounts.map(Vec::as_slice).unwrap_or_default();
    let mut proposals = propose(entry, clues, currency, world, accounts);
    proposals.sort_by(|a, b| b.points.cmp(&a.points).then(a.designation.cmp(&b.designation)));
    proposals.dedup_by(|b, a| a.customer == b.customer && a.designation == b.designation);
    let near = proposals.get(1).is_some_and(|next| {
        proposals.first().is_some_and(|best| best.points.saturating_sub(next.points) < APART)
    });
    let certain = proposals.first().is_some_and(|best| best.certain(accounts.len())) && !near;
    if near && let Some(best) = proposals.first_mut() {
        best.reasons.push(MatchReason::Ambiguous);
    }
    proposals.truncate(KEPT);
    let numbered = proposals.iter().zip(1u32..);
    let candidates = numbered.filter_map(|(of, number)| candidate(of, number, world)).collect();
    let booked = proposals.into_iter().next().filter(|_| certain);
    if let Some(best) = &booked {
        world.take(best, entry.minor, currency, taken);
    }
    Verdict {
        state: if certain { MatchState::Automatic } else { MatchState::Review },
        booked: booked.map(|best| (best.customer, best.designation)),
        candidates,
    }
}

fn candidate(proposal: &Proposal, number: u32, world: &World) -> Option<Candidate> {
    let named = |(document, minor): &(i64, i64)| {
        Some(Designation { invoice_id: world.id(*document)?.document_id.clone(), minor: *minor })
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
    currency: Currency,
    world: &World,
    accounts: &[i64],
) -> Vec<Proposal> {
    let named = world.named(clues, currency);
    let of_name = clues.name.as_ref().and_then(|name| world.names.get(name));
    let of_named = named.iter().filter_map(|(document, _)| Some(world.id(*document)?.customer));
    let mut customers: Vec<i64> = of_named.collect();
    customers.extend(accounts);
    customers.extend(of_name.into_iter().flatten());
    customers.sort_unstable();
    customers.dedup();
    let name = entry.name.as_deref().map(Name::new);
    let mut out = Vec::new();
    for customer in customers.into_iter().take(MOST_CUSTOMERS) {
        let Some(known) = world.customers.get(&customer) else { continue };
        let payer = payer(customer, &name, known, accounts);
        let of_this: Vec<(i64, MatchReason)> = named
            .iter()
            .filter(|(document, _)| world.id(*document).is_some_and(|c| c.customer == customer))
            .copied()
            .collect();
        let fits = named_of(entry, customer, &of_this, &payer, world, &mut out);
        if !fits {
            unnamed(entry, customer, currency, &payer, world, &mut out);
        }
        if of_this.is_empty() {
            out.push(Proposal::new(customer, Vec::new(), with(&payer, &[MatchReason::OnAccount])));
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
    name: &Option<Name>,
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
    match name.as_ref().map(|name| name.likeness(&known.name)) {
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
        out.push(Proposal::new(customer, designation, with(payer, reasons)));
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
        let of = world.claims.get(&document).into_iter().flatten();
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
        && world.closing.contains(document)
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
    match world.claims.get(&document)?.as_slice() {
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
    let documents = world.documents.get(&customer).map(Vec::as_slice).unwrap_or_default();
    let in_currency =
        |document: &&i64| world.id(**document).is_some_and(|c| c.currency == currency);
    let open: Vec<(i64, i64)> = documents
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
        let next = world.claims.get(document).into_iter().flatten();
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
mod tests {
    use super::*;
    use crate::bank::words;
    use proptest::prelude::*;

    const ACCOUNT: &str = "DE02120300000000202051";

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn eur() -> Currency {
        "EUR".parse().unwrap()
    }

    /// Two customers: of the first the account is known, of both the names. Claims as number, customer, open.
    fn world(claims: &[(&str, i64, i64)]) -> World {
        let mut world = World::default();
        for (key, id, name) in
            [(1, "C1", "Müller Maschinenbau GmbH"), (2, "C2", "First Street Bakery")]
        {
            let known = Customer { id: id.parse().unwrap(), name: Name::new(name) };
            world.customers.insert(key, known);
            world.name(crate::bank::name::key(name), key);
        }
        world.account(ACCOUNT.into(), 1);
        for ((id, customer, minor), key) in claims.iter().zip(10i64..) {
            let (whole, parts) = words::of_document(id);
            world.number(whole, key, true);
            parts.into_iter().for_each(|part| world.number(part, key, false));
            world.claim(Claim {
                key,
                document: key,
                document_id: id.parse().unwrap(),
                customer: *customer,
                currency: eur(),
                issued_on: day("2026-10-01"),
                due_on: day("2026-10-31"),
                amount_minor: *minor,
                open_minor: *minor,
                discount: Some((Decimal::new(2, 2), 14)),
            });
        }
        world
    }

    fn entry(minor: i64, text: &str, name: &str, account: &str) -> Entry {
        Entry {
            booked_on: Some(day("2026-10-20")),
            minor,
            remittance: text.into(),
            name: Some(name.to_string()).filter(|name| !name.is_empty()),
            account: Some(account.to_string()).filter(|account| !account.is_empty()),
            ..Entry::default()
        }
    }

    fn judged(entry: &Entry, world: &mut World, taken: &mut Taken) -> Verdict {
        judge(entry, &words::clues(entry), eur(), world, taken)
    }

    #[test]
    fn two_kinds_of_signal_are_booked_and_one_is_not() {
        use MatchReason as R;
        const BOOK: &[(&str, i64, i64)] = &[
            ("INV-100001", 1, 10_000),
            ("INV-100002", 1, 20_000),
            ("INV-100003", 1, 40_000),
            ("INV-200001", 2, 10_000),
            ("INV-200002", 2, 33_300),
            ("INV-9001", 2, 700),
        ];
        let bakery = "First Street Bakery Ltd";
        // Amount, text, name, account; booked or not; the best candidate's documents and reasons.
        type Case =
            (i64, &'static str, &'static str, &'static str, bool, &'static str, &'static [R]);
        let cases: &[Case] = &[
            (20_000, "INV-100002", "", "", true, "INV-100002", &[R::InvoiceNumber, R::AmountExact]),
            (
                20_000,
                "INV-100002",
                "Somebody",
                "",
                false,
                "INV-100002",
                &[R::InvoiceNumber, R::AmountExact, R::PayerNameDiffers],
            ),
            (20_000, "100002", "", "", false, "INV-100002", &[R::PartialNumber, R::AmountExact]),
            (
                20_000,
                "100002",
                "",
                ACCOUNT,
                true,
                "INV-100002",
                &[R::PartialNumber, R::AmountExact, R::PayerAccount],
            ),
            (
                700,
                "9001",
                bakery,
                "",
                true,
                "INV-9001",
                &[R::ShortNumber, R::AmountExact, R::PayerName],
            ),
            (
                700,
                "9001",
                "Street Bakery Second",
                "",
                false,
                "INV-9001",
                &[R::ShortNumber, R::AmountExact, R::PayerNameSimilar],
            ),
            (20_000, "", "", ACCOUNT, true, "INV-100002", &[R::AmountExact, R::PayerAccount]),
            (33_300, "", bakery, "", true, "INV-200002", &[R::AmountExact, R::PayerName]),
            (33_300, "", "Somebody", "", false, "", &[]),
            (
                30_000,
                "INV-100001 INV-100002",
                "",
                "",
                true,
                "INV-100001 INV-100002",
                &[R::InvoiceNumber, R::AmountExact],
            ),
            (
                30_000,
                "",
                "",
                ACCOUNT,
                true,
                "INV-100001 INV-100002",
                &[R::SumOfOldest, R::PayerAccount],
            ),
            (
                50_000,
                "",
                "",
                ACCOUNT,
                false,
                "INV-100001 INV-100003",
                &[R::SumOfSeveral, R::PayerAccount, R::Ambiguous],
            ),
            (
                5_000,
                "INV-100002",
                "",
                ACCOUNT,
                true,
                "INV-100002",
                &[R::InvoiceNumber, R::PartPayment, R::PayerAccount],
            ),
            (5_000, "INV-100002", "", "", false, "INV-100002", &[R::InvoiceNumber, R::PartPayment]),
            (
                25_000,
                "INV-100002",
                "",
                ACCOUNT,
                false,
                "INV-100002",
                &[R::InvoiceNumber, R::OverPayment, R::PayerAccount],
            ),
            (
                10_000,
                "INV-200001",
                "",
                ACCOUNT,
                false,
                "INV-100001",
                &[R::AmountExact, R::PayerAccount, R::Ambiguous],
            ),
            (123, "thank you", "", ACCOUNT, true, "", &[R::OnAccount, R::PayerAccount]),
            (123, "thank you", bakery, "", false, "", &[R::OnAccount, R::PayerName]),
        ];
        for (minor, text, name, account, booked, documents, reasons) in cases {
            let mut world = world(BOOK);
            let of = entry(*minor, text, name, account);
            // The discount's days are over.
            let verdict = judged(&of, &mut world, &mut Taken::default());
            let wanted = if *booked { MatchState::Automatic } else { MatchState::Review };
            assert_eq!(verdict.state, wanted, "{minor} {text} {name} {account}: {verdict:?}");
            let best = verdict.candidates.first();
            let named: Vec<&str> = best
                .and_then(|best| best.designation.as_deref())
                .unwrap_or_default()
                .iter()
                .map(|part| part.invoice_id.as_str())
                .collect();
            assert_eq!(named.join(" "), *documents, "{minor} {text}");
            assert_eq!(best.map_or(&[][..], |best| &best.reasons), *reasons, "{minor} {text}");
        }
    }

    #[test]
    fn a_discount_counts_up_to_its_last_day() {
        for (on, state) in
            [("2026-10-15", MatchState::Automatic), ("2026-10-16", MatchState::Review)]
        {
            let mut world = world(&[("INV-100001", 1, 10_000)]);
            let of = Entry { booked_on: Some(day(on)), ..entry(9_800, "INV-100001", "", "") };
            assert_eq!(judged(&of, &mut world, &mut Taken::default()).state, state, "{on}");
        }
    }

    #[test]
    fn parts_that_close_a_document_are_booked_without_knowing_the_payer() {
        let mut world = world(&[("INV-100001", 1, 10_000)]);
        let parts = [entry(4_000, "INV-100001", "", ""), entry(6_000, "INV-100001", "", "")];
        let clues: Vec<Clues> = parts.iter().map(words::clues).collect();
        world.sum_up(parts.iter().zip(&clues).map(|(entry, clues)| (entry, clues, eur())));
        let mut taken = Taken::default();
        let first = judged(&parts[0], &mut world, &mut taken);
        assert_eq!(
            first.candidates[0].reasons,
            [MatchReason::InvoiceNumber, MatchReason::PartsClose]
        );
        assert_eq!(judged(&parts[1], &mut world, &mut taken).state, MatchState::Automatic);
        // And a third time nothing is open.
        let third = judged(&parts[1], &mut world, &mut taken);
        assert_eq!(third.state, MatchState::Review);
        assert!(third.candidates[0].reasons.contains(&MatchReason::AlreadyPaid));
    }

    #[test]
    fn two_customers_of_one_name_wait() {
        let mut world = world(&[("INV-100001", 1, 10_000), ("INV-200001", 2, 10_000)]);
        world.customers.insert(
            2,
            Customer { id: "C2".parse().unwrap(), name: Name::new("Müller Maschinenbau") },
        );
        world.name(crate::bank::name::key("Müller Maschinenbau"), 2);
        let of = entry(10_000, "", "Müller Maschinenbau", "");
        let verdict = judged(&of, &mut world, &mut Taken::default());
        assert_eq!((verdict.state, verdict.candidates.len() > 1), (MatchState::Review, true));
    }

    proptest! {
        /// What is booked is never more than was paid, and no claim is used beyond what is open.
        #[test]
        fn what_is_booked_is_covered(
            open in prop::collection::vec(1i64..500, 1..8),
            paid in prop::collection::vec((1i64..900, 0usize..9, any::<bool>()), 1..12),
        ) {
            let names: Vec<String> = (0..open.len()).map(|n| format!("INV-10000{n}")).collect();
            let claims: Vec<(&str, i64, i64)> =
                names.iter().zip(&open).map(|(name, minor)| (name.as_str(), 1, *minor)).collect();
            let (mut world, mut taken) = (world(&claims), Taken::default());
            for (minor, named, known) in paid {
                let text = names.get(named).map(String::as_str).unwrap_or("hello");
                let of = entry(minor, text, "", if known { ACCOUNT } else { "" });
                let verdict = judged(&of, &mut world, &mut taken);
                let booked = verdict.booked.map(|(_, parts)| parts).unwrap_or_default();
                prop_assert!(booked.iter().map(|(_, part)| part).sum::<i64>() <= minor);
                prop_assert!(booked.iter().all(|(_, part)| *part > 0));
            }
            for (claim, minor) in (10i64..).zip(&open) {
                prop_assert!(taken.left(claim, *minor) >= 0);
                prop_assert!(taken.0.get(&claim).copied().unwrap_or(0) <= *minor);
            }
        }
    }
}
