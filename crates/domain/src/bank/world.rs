//! What the ledger has for a slice of entries, and what an entry points at in it.

use super::{
    Entry,
    matching::points,
    name::Name,
    words::{Clues, MOST_NAMED, TELLING_DIGITS, masked},
};
use crate::decimal::Times as _;
use crate::{Currency, Date, Decimal, Id, contract::bank::MatchReason, decimal};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

/// The most customers that are looked at for one entry: more with one name or number are no clue.
const MOST_CUSTOMERS: usize = 10;

/// From so many digits on, the end of a checked reference is a document's number even where that has letters too.
const PLENTY: usize = 7;

/// What is looked up by the key of a row. The database chose it, so that nobody can make keys that meet.
pub(super) type ByKey<T> = HashMap<i64, T, BuildHasherDefault<OfKey>>;

/// The key, spread over all bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfKey(u64);

impl Hasher for OfKey {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_i64(i64::from(*byte)));
    }

    fn write_i64(&mut self, key: i64) {
        let mixed = (self.0 ^ key.cast_unsigned()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed.rotate_left(32);
    }
}

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
    /// What stands of its write-offs: money that names the document recovers it.
    pub written_off_minor: i64,
    /// Its document is void.
    pub void: bool,
    /// The share of the discount of its terms, and for how many days.
    pub discount: Option<(Decimal, i64)>,
}

impl Claim {
    /// What is open less the discount on this day, where there is one.
    pub(super) fn discounted(&self, day: Date) -> Option<i64> {
        let (share, days) = self.discount?;
        let whole = self.open_minor == self.amount_minor;
        let in_time = day.days_since(self.issued_on) <= days;
        let off = share.times(Decimal::from(self.amount_minor))?;
        let off = i64::try_from(decimal::round(off, 0)).ok()?;
        (whole && in_time && off > 0).then(|| self.open_minor.saturating_sub(off))
    }
}

/// A customer that an entry may come from.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: Id,
    /// Its own, and those of duplicates that were merged into it.
    pub names: Vec<Name>,
}

impl Customer {
    /// How like a payer's name is to the customer's, in hundredths.
    pub(super) fn likeness(&self, payer: &Name) -> Option<u32> {
        self.names.iter().map(|name| payer.likeness(name)).max()
    }
}

/// How the numbers of documents look, which tells what in a text may be one.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    /// Masks in order, and whether they are of whole numbers.
    known: Vec<(String, bool)>,
    /// There are so many that they tell nothing.
    any: bool,
}

impl Masks {
    /// `None`: there are so many that they tell nothing.
    pub fn new(known: Option<Vec<(String, bool)>>) -> Self {
        let any = known.is_none();
        let mut known = known.unwrap_or_default();
        known.sort_unstable();
        // Of a mask of both kinds the one of whole numbers counts.
        known.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 |= same && next.1;
            same
        });
        Self { known, any }
    }

    /// Whether a mask is known, and if so whether it is of whole numbers.
    fn find(&self, mask: &str) -> Option<bool> {
        let at = self.known.binary_search_by(|(known, _)| known.as_str().cmp(mask)).ok()?;
        self.known.get(at).map(|(_, whole)| *whole)
    }

    /// Whether a document may have this number.
    pub fn fits(&self, number: &str) -> bool {
        self.any || masked(number, |mask| self.find(mask).is_some())
    }

    /// Whether it is written like the whole number of a document, with letters and digits enough that nothing else is.
    fn like_a_document(&self, number: &str) -> bool {
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let telling = digits >= TELLING_DIGITS && digits < number.len();
        telling && masked(number, |mask| self.find(mask) == Some(true))
    }
}

/// Documents, each with the way it is named.
type Named = Vec<(i64, MatchReason)>;

/// What an entry points at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The documents it names, each with the best way it does so.
    pub(super) named: Named,
    /// Those that it names by a part of their numbers, beside whole ones of others.
    pub(super) lesser: Named,
    /// It names something that is not there.
    pub(super) unknown: bool,
    /// The numbers that are not there, where nothing else is unknown.
    pub(super) strange: Vec<String>,
    /// It may be one that another statement had before.
    pub repeated: bool,
    /// It is of a day that has not come.
    pub later: bool,
    /// Payments that it may be, which came another way than by a statement.
    pub elsewhere: Vec<Elsewhere>,
    /// Whoever may have paid.
    pub(super) customers: Vec<i64>,
}

impl Sight {
    /// Whether no document is named.
    pub fn names_nothing(&self) -> bool {
        self.named.is_empty()
    }

    /// Whoever may have paid.
    pub fn customers(&self) -> &[i64] {
        &self.customers
    }
}

/// A payment of the ledger that no entry was booked as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    pub payment: Id,
    pub customer: i64,
    /// The entry names it: it need not be of the customer that the entry is thought to be of.
    pub named: bool,
}

/// What the ledger has for a slice of entries.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub customers: BTreeMap<i64, Customer>,
    masks: Masks,
    /// By document; documents that are paid have claims with nothing open.
    claims: ByKey<Vec<Claim>>,
    /// Documents of each customer, the one due first at the front.
    documents: ByKey<Vec<i64>>,
    /// Documents by number, and whether it is the whole one.
    numbers: HashMap<String, Vec<(i64, bool)>>,
    accounts: HashMap<String, Vec<i64>>,
    /// Those of them that stand in the customer's record.
    recorded: HashSet<(String, i64)>,
    names: HashMap<String, Vec<i64>>,
    /// Documents that several entries of the slice pay to the end.
    closing: HashSet<i64>,
}

impl World {
    pub fn new(masks: Masks) -> Self {
        Self { masks, ..Self::default() }
    }

    pub fn number(&mut self, number: String, document: i64, whole: bool) {
        self.numbers.entry(number).or_default().push((document, whole));
    }

    /// Adds an account of a customer, and whether it stands in the customer's record.
    pub fn account(&mut self, account: String, customer: i64, recorded: bool) {
        if recorded {
            self.recorded.insert((account.clone(), customer));
        }
        self.accounts.entry(account).or_default().push(customer);
    }

    pub fn name(&mut self, name: String, customer: i64) {
        self.names.entry(name).or_default().push(customer);
    }

    /// Adds a claim, unless it is there.
    pub fn claim(&mut self, claim: Claim) {
        let of = self.claims.entry(claim.document).or_default();
        if of.is_empty() {
            self.documents.entry(claim.customer).or_default().push(claim.document);
        }
        if of.iter().all(|other| other.key != claim.key) {
            of.push(claim);
        }
    }

    /// Puts what was added into the order of the due dates.
    pub fn sort(&mut self) {
        let order = |claim: &Claim| (claim.due_on, claim.key);
        for of in self.claims.values_mut() {
            of.sort_unstable_by_key(order);
        }
        for of in self.documents.values_mut() {
            of.sort_by_cached_key(|document| {
                self.claims.get(document).and_then(|of| of.first()).map(order)
            });
        }
    }

    /// What an entry points at.
    pub fn look(&self, entry: &Entry, clues: &Clues, currency: Currency) -> Sight {
        let (named, lesser, unknown, strange) = self.named(clues, currency);
        let mut customers: Vec<i64> =
            named.iter().filter_map(|(of, _)| Some(self.first(*of)?.customer)).collect();
        customers.extend(self.of_account(entry));
        customers.extend(self.of_name(clues));
        customers.sort_unstable();
        customers.dedup();
        customers.truncate(MOST_CUSTOMERS);
        Sight { named, lesser, unknown, strange, customers, ..Sight::default() }
    }

    /// Customers whose other documents matter too: an entry may come from them that what it names does not explain.
    pub fn to_look_through<'a>(
        &self,
        entries: impl Iterator<Item = (&'a Entry, &'a Sight)>,
    ) -> Vec<i64> {
        let mut times: ByKey<u32> = ByKey::default();
        let mut wanted: HashSet<i64> = HashSet::new();
        for (entry, sight) in entries {
            for (document, _) in &sight.named {
                let times = times.entry(*document).or_default();
                *times = times.saturating_add(1);
            }
            let explains = |customer: i64| match self.of(customer, &sight.named).as_slice() {
                [(document, _)] => self.open(*document) == entry.minor,
                _ => false,
            };
            wanted.extend(sight.customers.iter().filter(|customer| !explains(**customer)));
        }
        // What several entries name is open for the first of them alone.
        let shared = times.iter().filter(|(_, times)| **times > 1);
        wanted.extend(shared.filter_map(|(document, _)| Some(self.first(*document)?.customer)));
        let mut wanted: Vec<i64> = wanted.into_iter().collect();
        wanted.sort_unstable();
        wanted
    }

    /// Notes which documents are paid to the end by several entries of the slice together.
    pub fn sum_up<'a>(&mut self, entries: impl Iterator<Item = (&'a Entry, &'a Sight)>) {
        let mut sums: ByKey<(i64, u32)> = ByKey::default();
        for (entry, sight) in entries {
            if let [(document, reason)] = sight.named.as_slice()
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

    pub(super) fn open(&self, document: i64) -> i64 {
        self.claims(document).iter().fold(0, |sum, claim| sum.saturating_add(claim.open_minor))
    }

    /// What stands of the write-offs of a document.
    pub(super) fn written_off(&self, document: i64) -> i64 {
        let of = self.claims(document).iter();
        of.fold(0, |sum, claim| sum.saturating_add(claim.written_off_minor))
    }

    pub(super) fn claims(&self, document: i64) -> &[Claim] {
        self.claims.get(&document).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn first(&self, document: i64) -> Option<&Claim> {
        self.claims(document).first()
    }

    pub(super) fn documents(&self, customer: i64) -> &[i64] {
        self.documents.get(&customer).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn closes(&self, document: i64) -> bool {
        self.closing.contains(&document)
    }

    /// Customers who are known to pay from the account of the entry.
    pub(super) fn of_account(&self, entry: &Entry) -> &[i64] {
        let of = entry.account.as_ref().and_then(|account| self.accounts.get(account));
        of.map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the account of the entry stands in the record of this customer.
    pub(super) fn records(&self, entry: &Entry, customer: i64) -> bool {
        let of = entry.account.as_ref().map(|account| (account.clone(), customer));
        of.is_some_and(|of| self.recorded.contains(&of))
    }

    /// Customers of the payer's name.
    pub(super) fn of_name(&self, clues: &Clues) -> Vec<i64> {
        let mut found: Vec<i64> = Vec::new();
        for name in clues.names() {
            found.extend(self.names.get(&name.key()).into_iter().flatten());
        }
        if clues.ultimate.is_some() {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// Of what is named what is this customer's.
    pub(super) fn of(
        &self,
        customer: i64,
        named: &[(i64, MatchReason)],
    ) -> Vec<(i64, MatchReason)> {
        let theirs = |document: i64| self.first(document).is_some_and(|c| c.customer == customer);
        named.iter().filter(|(document, _)| theirs(*document)).copied().collect()
    }

    /// The documents an entry names, those that it names by parts of numbers beside whole ones, whether it names
    /// something that is not there or in another currency, and the numbers if that is all that is not there.
    fn named(&self, clues: &Clues, currency: Currency) -> (Named, Named, bool, Vec<String>) {
        let mut found: Named = Vec::new();
        let mut add = |document: i64, reason: MatchReason| match found
            .iter_mut()
            .find(|(of, _)| *of == document)
        {
            Some((_, best)) if points(reason) > points(*best) => *best = reason,
            Some(_) => {}
            None => found.push((document, reason)),
        };
        let mut unknown = clues.wrong;
        let (mut structured, mut found_at_end) = (false, false);
        for text in &clues.structured {
            for (document, _) in self.numbers.get(text).into_iter().flatten() {
                structured = true;
                add(*document, MatchReason::StructuredReference);
            }
        }
        // A reference that an issuer made has the number of an open document at its end.
        for text in clues.endings.iter().filter(|_| !structured) {
            if found_at_end {
                break;
            }
            for (document, whole) in self.numbers.get(text).into_iter().flatten() {
                let fits = self.first(*document).is_some_and(|claim| claim.currency == currency);
                if fits && self.open(*document) > 0 {
                    found_at_end = true;
                    let reason = match text.len() {
                        ..TELLING_DIGITS => MatchReason::ShortNumber,
                        PLENTY.. => MatchReason::InvoiceNumber,
                        _ if *whole => MatchReason::InvoiceNumber,
                        _ => MatchReason::PartialNumber,
                    };
                    add(*document, reason);
                }
            }
        }
        unknown |= !clues.structured.is_empty() && !structured && !found_at_end;
        let mut strange = Vec::new();
        for text in &clues.numbers {
            let of = self.numbers.get(text);
            if of.is_none() && self.masks.like_a_document(text) {
                strange.push(text.clone());
            }
            for (document, whole) in of.into_iter().flatten() {
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
        let whole = points(MatchReason::InvoiceNumber);
        // What reads as a date names the document that is called so to the letter, and no other.
        for (text, written) in &clues.dated {
            for (document, _) in self.numbers.get(text).into_iter().flatten() {
                let called =
                    |claim: &Claim| claim.document_id.as_str().eq_ignore_ascii_case(written.trim());
                // As of other numbers, a few digits without letters are many things.
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                let telling = digits >= TELLING_DIGITS || digits < text.len();
                if self.first(*document).is_some_and(called) {
                    let reason =
                        if telling { MatchReason::InvoiceNumber } else { MatchReason::ShortNumber };
                    add(*document, reason);
                }
            }
        }
        found.retain(|(document, reason)| {
            let fits = self.first(*document).is_some_and(|claim| claim.currency == currency);
            unknown |= !fits && points(*reason) >= whole;
            fits
        });
        let best = found.iter().map(|(_, reason)| points(*reason)).max().unwrap_or(0);
        found.sort_unstable_by_key(|(document, _)| *document);
        found.truncate(MOST_NAMED);
        let (named, lesser) =
            found.into_iter().partition(|(_, reason)| points(*reason) >= best.min(whole));
        if unknown {
            return (named, lesser, true, Vec::new());
        }
        (named, lesser, !strange.is_empty(), strange)
    }

    /// What was taken off claims by what was booked: the named documents up to their amounts, or on account.
    pub(super) fn take(
        &mut self,
        customer: i64,
        designation: &[(i64, i64)],
        minor: i64,
        currency: Currency,
        taken: &mut Taken,
    ) {
        let mut left = minor;
        let mut named = designation.to_vec();
        if named.is_empty() {
            let of = self.documents(customer).iter().copied();
            let of = of.filter(|of| self.first(*of).is_some_and(|c| c.currency == currency));
            named = of.map(|document| (document, i64::MAX)).collect();
        }
        for (document, most) in named {
            let mut most = most.min(left);
            // What is open is paid first, and of what is named what was written off is recovered then.
            for recovers in [false, true].iter().take(if designation.is_empty() { 1 } else { 2 }) {
                for claim in self.claims.get_mut(&document).into_iter().flatten() {
                    let of = match recovers {
                        false => &mut claim.open_minor,
                        true => &mut claim.written_off_minor,
                    };
                    let part = most.min(*of);
                    *of = of.saturating_sub(part);
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
}

/// What earlier entries of the same file took off claims, by the claim's key: the ledger knows it only at the end.
#[derive(Clone, Debug, Default)]
pub struct Taken(pub(super) ByKey<i64>);

impl Taken {
    /// What is open of a claim after that.
    pub fn left(&self, claim: i64, open_minor: i64) -> i64 {
        open_minor.saturating_sub(self.0.get(&claim).copied().unwrap_or(0)).max(0)
    }

    /// What stands of its write-offs after that: what is open is paid before it.
    pub fn left_of_written_off(&self, claim: i64, open_minor: i64, minor: i64) -> i64 {
        let taken = self.0.get(&claim).copied().unwrap_or(0);
        minor.saturating_sub(taken.saturating_sub(open_minor).max(0)).max(0)
    }
}
