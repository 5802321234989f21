//! Late interest: what a document bears as of a day, what of it is claimed or given up, and what the sweep keeps.

mod claim;
mod claimable;
mod excess;
mod rates;
mod swept;

pub use claim::{add_note, add_waiver};
pub use claimable::{Claimable, claimable};
pub use excess::excess;
pub use rates::{put_rates, rate_names, rate_table};
pub use swept::{accrue, any_clause, forget_all};

use dunlin_domain::arrange::{arrange, mapped, set};
use dunlin_domain::{
    Date, Decimal, Id, Money, Refusal, Refused,
    contract::{
        ledger::LateInterest,
        types::{Interest, InterestCap},
    },
    interest::{self, Accrued, Charges},
    money,
    rate::Tables,
};
use dunlin_store::{
    Db, Fault,
    accrual::{self, Item},
    clause,
    interest_entry::{self, Charging, Document},
    invoice, policy, rate as rates_of,
};
use std::collections::{BTreeMap, BTreeSet};

/// The clauses and rates of some documents.
struct Book {
    tables: Tables,
    policy: Option<LateInterest>,
    contracts: BTreeMap<i64, clause::OfContract>,
    /// The versions of contracts under which claims are worked out with their surroundings; `None` stands for the policy.
    surrounded: BTreeSet<Option<i64>>,
}

impl Book {
    fn of<D: Db>(db: &D, items: &[Item], known: i64) -> Result<Self, Fault> {
        let mut versions: Vec<i64> = items.iter().filter_map(|item| item.version_key).collect();
        arrange(&mut versions, Ord::cmp);
        versions.dedup();
        let contracts =
            if versions.is_empty() { BTreeMap::new() } else { clause::of_versions(db, &versions)? };
        let (tables, policy) =
            (rates_of::tables(db, known)?, policy::known(db, known)?.late_interest);
        let of_contracts = contracts.iter().map(|(key, (clause, ..))| (Some(*key), clause));
        let clauses = of_contracts.chain(policy.iter().map(|clause| (None, clause)));
        let surrounded = clauses.filter(|(_, clause)| interest::has_surroundings(clause));
        let surrounded = set(surrounded.map(|(version, _)| version));
        Ok(Self { tables, policy, contracts, surrounded })
    }

    /// Whether what the claim bears has to do with more than the claim.
    fn is_surrounded(&self, item: &Item) -> bool {
        let own = item.version_key.filter(|key| self.contracts.contains_key(key));
        self.surrounded.contains(&own)
    }

    /// The clause that governs, and its name: that of the contract, else the policy's.
    fn clause(&self, item: &Item) -> Option<(&LateInterest, String)> {
        match item.version_key.and_then(|key| self.contracts.get(&key)) {
            Some((clause, id, version)) => Some((clause, format!("{id} version {version}"))),
            None => self.policy.as_ref().map(|clause| (clause, "policy".to_string())),
        }
    }

    fn accrue(
        &self,
        item: &Item,
        clause: &LateInterest,
        fixed_for: Option<i64>,
        day: Date,
        settled: &[(Date, i64)],
        charges: &mut Charges,
    ) -> Result<Accrued, Refused> {
        let claim = interest::Item {
            issued_on: item.issued_on,
            due_on: item.due_on,
            amount_minor: item.amount_minor,
            currency: item.currency,
            changes: item.changes.clone(),
            exclusions: interest::exclusions(&item.disputes, item.due_on, day),
            settled: settled.to_vec(),
            signed_on: item.signed_on,
            fixed_for,
        };
        let resolved = interest::resolve(clause, item.due_on.plus_days(1).unwrap_or(Date::LAST))?;
        interest::charge(&claim, &resolved, &self.tables, day, charges)
    }
}

/// The late interest of an invoice up to and with a day, by what was known with an audit entry. `None` where no
/// clause governs it or the document bears none; where the clause's preset did not hold yet that is refused.
pub fn of_invoice<D: Db>(
    db: &D,
    id: &Id,
    through: Date,
    known: i64,
) -> Result<Option<Interest>, Fault> {
    match interest_entry::document(db, id)? {
        Some(document) => of_document(db, &document, through, through, known),
        None => Ok(None),
    }
}

/// What one claim of a document bears, or why that cannot be told.
type Borne<'a> = (&'a Item, Result<Accrued, Refused>);

/// What the claims of one document bear up to a day, in the order in which they come under its cap: oldest due first.
/// Claims for which the clause does not hold are left out. What was settled of its interest is the oldest claim's first.
/// `apart` rounds what each bears by itself, which no cap stands over then.
fn borne<'a>(
    book: &Book,
    clause: &LateInterest,
    items: &[&'a Item],
    day: Date,
    mut settled: Vec<(Date, i64)>,
    charges: &mut Charges,
    apart: bool,
) -> Result<Vec<Borne<'a>>, Refused> {
    let whole = money::sum(items.iter().map(|item| item.amount_minor))?;
    let mut found: Vec<Borne<'a>> = Vec::with_capacity(items.len());
    let mut is_late = false;
    // What the claims so far had borne by each day on which something was settled.
    let mut then: BTreeMap<Date, Charges> = BTreeMap::new();
    for item in items {
        // A fixed sum is one for the document: the first part that is late bears it.
        let fixed_for = (!is_late).then_some(whole);
        if apart {
            *charges = Charges::default();
            then.clear();
        }
        let part = book.accrue(item, clause, fixed_for, day, &settled, charges);
        // A preset holds from its day, and one instalment may be due before it.
        if part.as_ref().is_err_and(|refused| refused.code == Refusal::UnknownPreset) {
            continue;
        }
        is_late |= part.as_ref().is_ok_and(|part| !part.segments.is_empty());
        if part.is_ok() && items.len() > 1 && !settled.is_empty() {
            settled = left_over(book, clause, item, fixed_for, &settled, &mut then)?;
        }
        found.push((item, part));
    }
    Ok(found)
}

/// What was settled of a document's interest beyond what one claim of it had borne by then, with its fixed sum. `then` is
/// what those before it had borne by each day.
fn left_over(
    book: &Book,
    clause: &LateInterest,
    item: &Item,
    fixed_for: Option<i64>,
    settled: &[(Date, i64)],
    then: &mut BTreeMap<Date, Charges>,
) -> Result<Vec<(Date, i64)>, Refused> {
    let mut by_day: BTreeMap<Date, i64> = BTreeMap::new();
    for (on, minor) in settled {
        let sum = by_day.entry(*on).or_default();
        *sum = sum.saturating_add(*minor);
    }
    let (mut all, mut over) = (0i64, 0i64);
    let mut left = Vec::with_capacity(by_day.len());
    for (on, minor) in by_day {
        all = all.saturating_add(minor);
        let so_far = then.entry(on).or_default();
        let own = book.accrue(item, clause, fixed_for, on, settled, so_far)?;
        let own = own.accrued_minor.saturating_add(own.fixed_minor);
        let beyond = all.saturating_sub(own).max(0);
        left.push((on, beyond.saturating_sub(over)));
        over = beyond;
    }
    Ok(left)
}

/// The same for a document that was found. Notes and waivers count up to a day, or all.
fn of_document<D: Db>(
    db: &D,
    document: &Document,
    through: Date,
    entries_upto: Date,
    known: i64,
) -> Result<Option<Interest>, Fault> {
    let ground = Ground::read(db, std::slice::from_ref(document), known)?;
    let names = names(db, &ground.items(document), document)?;
    let Some(mut of) = ground.of(document, through, entries_upto, &names)? else {
        return Ok(None);
    };
    if !document.is_part {
        let waivers = interest_entry::waivers(db, document.key, entries_upto, known)?;
        of.waivers = Some(waivers).filter(|of| !of.is_empty());
    }
    Ok(Some(of))
}

/// All that the interest of some documents rests on.
struct Ground {
    book: Book,
    items: BTreeMap<i64, Item>,
    charging: Charging,
    /// What was given up, by document.
    waived: BTreeMap<i64, Vec<(Date, i64)>>,
}

impl Ground {
    fn read<D: Db>(db: &D, documents: &[Document], known: i64) -> Result<Self, Fault> {
        let claims: Vec<i64> = documents.iter().flat_map(|of| &of.claims).copied().collect();
        let items = as_known(db, accrual::items(db, &claims, known)?, known)?;
        let book = Book::of(db, &items, known)?;
        let (mut charging, mut waived) = (Charging::default(), BTreeMap::<i64, Vec<_>>::new());
        if items.iter().any(|item| book.clause(item).is_some()) {
            charging = Charging::of(db, &claims, known)?;
            let roots = items.iter().map(|item| item.parent_key.unwrap_or(item.invoice_key));
            let roots: Vec<i64> = set(roots).into_iter().collect();
            for (root, on, minor) in interest_entry::waived(db, &roots, known)? {
                waived.entry(root).or_default().push((on, minor));
            }
        }
        let items = mapped(items.into_iter().map(|item| (item.invoice_key, item)));
        Ok(Self { book, items, charging, waived })
    }

    /// The claims of a document, oldest due first.
    fn items(&self, document: &Document) -> Vec<&Item> {
        let mut items: Vec<&Item> =
            document.claims.iter().filter_map(|key| self.items.get(key)).collect();
        arrange(&mut items, |a, b| (a.due_on, a.invoice_key).cmp(&(b.due_on, b.invoice_key)));
        items
    }

    /// The interest of one of the documents up to a day, with its notes and without its waivers by themselves. An
    /// instalment bears what is its own of what the whole document bears, rounded by itself, and under a cap its share.
    /// `names` are the ids of instalments, where what is explained is to name them.
    fn of(
        &self,
        document: &Document,
        through: Date,
        entries_upto: Date,
        names: &BTreeMap<i64, Id>,
    ) -> Result<Option<Interest>, Fault> {
        let items = self.items(document);
        let (book, charging, own_claims) = (&self.book, &self.charging, &document.claims);
        let Some((clause, name)) = items.first().and_then(|item| book.clause(item)) else {
            return Ok(None);
        };
        let is_surrounded = items.first().is_some_and(|item| book.is_surrounded(item));
        let is_own = |item: &Item| !document.is_part || item.invoice_key == document.key;
        let root = items.iter().find_map(|item| item.parent_key).unwrap_or(document.key);
        let given_up = self.waived.get(&root).map(Vec::as_slice).unwrap_or_default();
        let (notes, waived_minor) = match document.is_part {
            true => (Vec::new(), 0),
            false => {
                let by_then = given_up.iter().filter(|(on, _)| *on <= entries_upto);
                let waived_minor = money::sum(by_then.map(|(_, minor)| *minor))?;
                (charging.notes(own_claims, entries_upto), waived_minor)
            }
        };
        let noted_minor = money::sum(notes.iter().map(|of| of.minor))?;
        let fees_minor = money::sum(charging.fees(own_claims, through)?.into_values())?;
        let mut settled = Vec::new();
        if is_surrounded {
            settled.extend(charging.settled(own_claims));
            settled.extend_from_slice(given_up);
        }
        let claims: Vec<&Item> =
            items.iter().copied().filter(|item| is_surrounded || is_own(item)).collect();
        let amounts = items.iter().map(|item| item.amount_minor);
        let mut charges = Charges::on(money::sum(amounts)?, fees_minor);
        let capped = match is_surrounded {
            true => {
                Some(interest::resolve(clause, Date::LAST)?).filter(interest::Resolved::is_capped)
            }
            false => None,
        };
        let apart = document.is_part && capped.is_none();
        let found = borne(book, clause, &claims, through, settled, &mut charges, apart)?;
        if !found.iter().any(|(item, _)| is_own(item)) {
            // The clause does not hold for it, and says why.
            let own = items.iter().find(|item| is_own(item));
            let breach_on = own.map(|item| item.due_on.plus_days(1)).transpose()?;
            breach_on.map(|day| interest::resolve(clause, day)).transpose()?;
            return Ok(None);
        }
        let mut of = Interest {
            through,
            accrued: Money::new(0, document.currency),
            residue: Decimal::ZERO,
            fixed_minor: 0,
            capped_minor: 0,
            cap: None,
            noted_minor,
            notes: Some(notes).filter(|of| !of.is_empty()),
            waived_minor,
            waivers: None,
            outstanding_minor: 0,
            clause: name,
            explained: Vec::new(),
        };
        for (item, part) in found {
            let mut part = part?;
            if !is_own(item) {
                continue;
            }
            let name = names.get(&item.invoice_key);
            part.segments.iter_mut().for_each(|of| of.invoice_id = name.map(Id::to_string));
            of.accrued.minor = sum(of.accrued.minor, part.accrued_minor)?;
            of.residue = of.residue.saturating_add(part.residue);
            of.capped_minor = sum(of.capped_minor, part.capped_minor)?;
            // Fixed sums stand with the whole document.
            if !document.is_part {
                of.fixed_minor = sum(of.fixed_minor, part.fixed_minor)?;
            }
            of.explained.extend(part.segments);
        }
        if let Some(limit_minor) = capped.map(|of| charges.limit(&of)).transpose()?.flatten() {
            let above_minor = fees_minor.saturating_sub(limit_minor).max(0);
            of.cap = Some(InterestCap { limit_minor, fees_minor, above_minor });
        }
        if !document.is_part {
            of.residue = charges.residue()?;
        }
        let charged = sum(of.accrued.minor, of.fixed_minor)?;
        let settled = sum(of.noted_minor, of.waived_minor)?;
        of.outstanding_minor = charged.saturating_sub(settled);
        Ok(Some(of))
    }
}

/// The ids of the instalments that bear, by key: none of a document without any.
fn names<D: Db>(db: &D, items: &[&Item], document: &Document) -> Result<BTreeMap<i64, Id>, Fault> {
    if items.iter().all(|item| item.invoice_key == document.key && !document.is_part) {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<i64> = items.iter().map(|item| item.invoice_key).collect();
    let named = invoice::items(db, &keys, i64::MAX)?;
    Ok(mapped(named.into_iter().map(|item| (item.key, item.id))))
}

/// The documents with the days and amounts that they had before later corrections.
fn as_known<D: Db>(db: &D, mut items: Vec<Item>, known: i64) -> Result<Vec<Item>, Fault> {
    if known < i64::MAX {
        let keys: Vec<i64> = items.iter().map(|item| item.invoice_key).collect();
        let then = invoice::items(db, &keys, known)?;
        let then = mapped(then.into_iter().map(|then| (then.key, then)));
        for item in &mut items {
            if let Some(then) = then.get(&item.invoice_key) {
                (item.issued_on, item.due_on) = (then.issued_on, then.due_on);
                item.amount_minor = then.amount_minor;
                (item.version_key, item.signed_on) = (then.version_key, then.signed_on);
            }
        }
    }
    Ok(items)
}

fn sum(one: i64, other: i64) -> Result<i64, Refused> {
    money::sum([one, other])
}
