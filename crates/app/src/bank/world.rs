//! What the ledger has for the entries of a slice, and how documents and customers are found.

use super::book::Row;
use dunlin_domain::{
    Currency, Date, Decimal,
    bank::{
        Entry, matching as rule,
        name::{self, Name},
        reference,
        words::{self, Clues},
        world::{Claim, Customer, Elsewhere, Masks, Taken, World},
    },
};
use dunlin_store::{
    Db, Fault,
    matching::{self, ClaimRow},
};
use std::collections::{BTreeMap, BTreeSet};

/// Documents and customers whose numbers and names are looked at in one go.
const KEYS: i64 = 20_000;

/// How many days a payment that came another way may be away from the entry of a statement that it is.
pub(super) const DAYS_APART: i64 = 5;

/// The shortest id of a payment that a text names, and the most words of one that are looked at.
const SHORTEST_ID: usize = 4;
const MOST_WORDS: usize = 24;

/// What is known for every slice of a file.
#[derive(Debug, Default)]
pub(super) struct Known {
    masks: Masks,
    /// The last payment before the file.
    last_payment: i64,
}

impl Known {
    /// What an entry may name. What looks like no number of a document is none.
    pub(super) fn clues(&self, entry: &Entry) -> Clues {
        words::clues(entry, |number| self.masks.fits(number))
    }

    /// What the ledger has for these entries, less what the file itself has paid so far; and what they point at.
    pub(super) fn world<D: Db>(
        &self,
        db: &D,
        rows: &mut [Row],
        taken: &Taken,
        today: Date,
    ) -> Result<World, Fault> {
        let (mut numbers, mut accounts, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| row.pays) {
            let Clues { structured, numbers: plain, dated, endings, .. } = &row.clues;
            let dated = dated.iter().map(|(text, _)| text);
            let of = structured.iter().chain(plain).chain(dated).chain(endings);
            numbers.extend(of.map(String::as_str));
            accounts.extend(row.entry.account.as_deref());
            names.extend(row.clues.names().map(Name::key));
        }
        for texts in [&mut numbers, &mut accounts] {
            texts.sort_unstable();
            texts.dedup();
        }
        names.sort_unstable();
        names.dedup();
        let (found, paying, called) = matching::found(db, &numbers, &accounts, &names)?;
        let mut world = World::new(self.masks.clone());
        let (mut documents, mut customers) = (Vec::new(), Vec::new());
        for (text, targets) in found {
            for (document, whole) in targets {
                documents.push(document);
                world.number(text.clone(), document, whole == 1);
            }
        }
        for (account, customer, recorded) in paying {
            customers.push(customer);
            world.account(account, customer, recorded == 1);
        }
        for (name, targets) in called {
            for customer in targets {
                customers.push(customer);
                world.name(name.clone(), customer);
            }
        }
        for keys in [&mut documents, &mut customers] {
            keys.sort_unstable();
            keys.dedup();
        }
        let named = elsewhere_named(db, rows, self.last_payment)?;
        customers.extend(named.iter().map(|(_, of)| of.customer));
        customers.sort_unstable();
        customers.dedup();
        let (payers, claims) = matching::named(db, &documents, &customers)?;
        for (key, id, name) in payers {
            let known = world.customers.entry(key);
            known.or_insert(Customer { id, names: Vec::new() }).names.push(Name::new(&name));
        }
        claims.into_iter().for_each(|row| world.claim(claim(row, taken)));
        for row in rows.iter_mut().filter(|row| row.pays) {
            row.sight = world.look(&row.entry, &row.clues, row.currency);
            row.sight.repeated = row.repeats.is_some();
            row.sight.later = row.entry.booked_on.is_some_and(|day| day > today);
        }
        let held = elsewhere(db, rows, self.last_payment)?;
        for (at, of) in named.into_iter().chain(held) {
            if let Some(row) = rows.get_mut(at) {
                row.sight.elsewhere.push(of);
            }
        }
        let credits = || {
            let credits = rows.iter().filter(|row| row.pays);
            credits.map(|row| (&row.entry, &row.sight))
        };
        let wanted = world.to_look_through(credits());
        let more = matching::owed(db, &wanted)?;
        more.into_iter().for_each(|row| world.claim(claim(row, taken)));
        world.sort();
        world.sum_up(credits());
        Ok(world)
    }

    /// Brings what documents and customers are found by up to date with what came since the last statement.
    pub(super) fn catch_up<D: Db>(db: &D, last_payment: i64) -> Result<Self, Fault> {
        let mut upto = matching::progress(db, "invoice")?;
        loop {
            let documents = matching::documents(db, upto, KEYS)?;
            let Some((last, _, _)) = documents.last() else { break };
            upto = *last;
            look_for(db, documents)?;
        }
        matching::progressed(db, "invoice", upto)?;
        loop {
            let documents = matching::documents_again(db, KEYS)?;
            let Some((last, _, _)) = documents.last() else { break };
            matching::looked_again(db, *last)?;
            look_for(db, documents)?;
        }
        let changed = matching::renamed(db, matching::progress(db, "audit")?)?;
        let keys: Vec<i64> = changed.iter().map(|(key, _)| *key).collect();
        matching::delete_names(db, &keys)?;
        call(db, changed)?;
        let head = dunlin_store::audit::head(db)?.map_or(0, |(key, ..)| key);
        matching::progressed(db, "audit", head)?;
        let mut upto = matching::progress(db, "customer")?;
        loop {
            let names = matching::names(db, upto, KEYS)?;
            let Some((last, _)) = names.last() else { break };
            upto = *last;
            call(db, names)?;
        }
        matching::progressed(db, "customer", upto)?;
        Ok(Self { masks: Masks::new(matching::masks(db)?), last_payment })
    }
}

/// Has documents be found by their numbers and their references, and adds what these look like.
fn look_for<D: Db>(db: &D, documents: Vec<(i64, String, Option<String>)>) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(documents.len());
    for (key, id, printed) in documents {
        let printed = printed.as_deref().map(reference::found_by).unwrap_or_default();
        rows.extend(printed.into_iter().map(|text| (text, "number", key)));
        let (whole, parts) = words::of_document(&id);
        rows.extend(parts.into_iter().map(|part| (part, "part", key)));
        rows.push((whole, "number", key));
    }
    let mut looks: [BTreeSet<String>; 2] = Default::default();
    for (text, kind, _) in &rows {
        let of = usize::from(*kind == "number");
        if let Some(known) = looks.get_mut(of)
            && !words::masked(text, |mask| known.contains(mask))
        {
            known.insert(words::mask(text));
        }
    }
    let masks: Vec<(&String, usize)> = looks
        .iter()
        .enumerate()
        .flat_map(|(whole, known)| known.iter().map(move |mask| (mask, whole)))
        .collect();
    matching::insert_masks(db, &masks)?;
    matching::insert_keys(db, &mut rows)
}

/// The words of an entry that may be ids of payments.
pub(super) fn may_be_ids<'a>(
    references: &'a [String],
    end_to_end: Option<&'a str>,
    remittance: &'a str,
) -> impl Iterator<Item = &'a str> {
    let apart = |c: char| c.is_whitespace() || ",;()".contains(c);
    let texts = references.iter().map(String::as_str).chain(end_to_end);
    let words = texts
        .chain(remittance.split(apart))
        .filter(|word| word.len() >= SHORTEST_ID && word.bytes().any(|byte| byte.is_ascii_digit()));
    words.take(MOST_WORDS)
}

/// Payments that these entries name by their ids, with the places of the entries. A word without a digit or a short one
/// is no such id.
fn elsewhere_named<D: Db>(
    db: &D,
    rows: &[Row],
    upto: i64,
) -> Result<Vec<(usize, Elsewhere)>, Fault> {
    let mut wanted: Vec<(&str, usize)> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.pays) {
        let Entry { references, end_to_end, remittance, .. } = &row.entry;
        let words = may_be_ids(references, end_to_end.as_deref(), remittance);
        wanted.extend(words.map(|word| (word, at)));
    }
    let (nobody, ids) = ([(); 0], wanted.iter().map(|(word, _)| *word).collect::<Vec<_>>());
    let payments = matching::paid_elsewhere(db, &nobody, &nobody, &ids, upto)?;
    let mut found = Vec::new();
    // Mostly there are none, and then no word is looked up.
    if !payments.is_empty() {
        wanted.sort_unstable();
        wanted.dedup();
    }
    for (customer, currency, _, _, payment) in payments {
        let from = wanted.partition_point(|(word, _)| *word < payment.as_str());
        let naming = wanted.iter().skip(from).take_while(|(word, _)| *word == payment.as_str());
        for (_, at) in naming {
            if rows.get(*at).is_some_and(|row| row.currency == currency) {
                let payment = payment.clone();
                found.push((*at, Elsewhere { payment, customer, named: true }));
            }
        }
    }
    Ok(found)
}

/// Payments of whoever may have paid these entries, of their amounts and about their days, and those that sum to what names
/// nothing. Those of a customer are read once, however many entries it has.
fn elsewhere<D: Db>(db: &D, rows: &[Row], upto: i64) -> Result<Vec<(usize, Elsewhere)>, Fault> {
    type Spans = BTreeMap<(i64, Currency), (Date, Date, i64)>;
    let (mut spans, mut amounts) = (Spans::new(), BTreeSet::new());
    let mut credits: BTreeMap<(i64, Currency, i64), Vec<(usize, Date)>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.pays) {
        let Some(day) = row.entry.booked_on else { continue };
        let from = day.plus_days(DAYS_APART.saturating_neg()).unwrap_or(Date::FIRST);
        let to = day.plus_days(DAYS_APART).unwrap_or(Date::LAST);
        // With the fee that the bank kept and without it.
        let minors = BTreeSet::from([row.entry.minor, row.minor]);
        let less = if row.sight.names_nothing() { row.entry.minor } else { 0 };
        for of in row.sight.customers() {
            let span = spans.entry((*of, row.currency)).or_insert((from, to, less));
            *span = (span.0.min(from), span.1.max(to), span.2.max(less));
            for minor in &minors {
                credits.entry((*of, row.currency, *minor)).or_default().push((at, day));
            }
        }
        amounts.extend(minors);
    }
    let of: Vec<_> = spans
        .iter()
        .map(|((of, currency), (from, to, less))| (of, currency, from, to, less))
        .collect();
    let payments = matching::paid_elsewhere(db, &of, &amounts, &[(); 0], upto)?;
    let near = |on: &Date, day: &Date| day.days_since(*on).saturating_abs() <= DAYS_APART;
    let mut found = Vec::new();
    // Mostly there are none.
    let mut theirs: BTreeMap<(i64, Currency), Vec<&matching::Elsewhere>> = BTreeMap::new();
    for of in payments.iter().filter(|_| payments.len() > 1) {
        theirs.entry((of.0, of.1)).or_default().push(of);
    }
    let several = if theirs.is_empty() { &[] } else { rows };
    for (at, row) in several.iter().enumerate().filter(|(_, row)| row.sight.names_nothing()) {
        let Some(day) = row.entry.booked_on.filter(|_| row.pays) else { continue };
        for customer in row.sight.customers() {
            let of = theirs.get(&(*customer, row.currency)).into_iter().flatten();
            let parts =
                of.filter(|(_, _, minor, on, _)| *minor < row.entry.minor && near(on, &day));
            let parts: Vec<_> = parts.take(rule::MOST_SUMMED).collect();
            let minors: Vec<i64> = parts.iter().map(|(_, _, minor, ..)| *minor).collect();
            let mut sums = [row.entry.minor, row.minor].into_iter();
            let sum = sums.find_map(|minor| rule::summing(&minors, minor));
            if let Some((.., payment)) = sum.and_then(|at| parts.get(at)) {
                let (payment, customer) = (payment.clone(), *customer);
                found.push((at, Elsewhere { payment, customer, named: false }));
            }
        }
    }
    for (customer, currency, minor, on, payment) in payments {
        // One is enough for each entry.
        if let Some(of) = credits.get_mut(&(customer, currency, minor)) {
            of.retain(|(at, day)| {
                let near = near(&on, day);
                if near {
                    let payment = payment.clone();
                    found.push((*at, Elsewhere { payment, customer, named: false }));
                }
                !near
            });
        }
    }
    Ok(found)
}

/// A claim, less what the file has paid of it so far.
fn claim(row: ClaimRow, taken: &Taken) -> Claim {
    let (
        key,
        document,
        document_id,
        customer,
        currency,
        issued_on,
        due_on,
        amount,
        open,
        share,
        days,
        written_off,
        void,
    ) = row;
    let share = share.and_then(|share| share.parse::<Decimal>().ok());
    Claim {
        key,
        document,
        document_id,
        customer,
        currency,
        issued_on,
        due_on,
        amount_minor: amount,
        open_minor: taken.left(key, open),
        written_off_minor: taken.left_of_written_off(key, open, written_off),
        void: void == 1,
        discount: share.zip(days),
    }
}

/// Adds the names that customers are found by.
fn call<D: Db>(db: &D, customers: Vec<(i64, String)>) -> Result<(), Fault> {
    let named = customers.into_iter().filter(|(_, name)| name != dunlin_store::erasure::ERASED);
    let mut rows: Vec<(String, &str, i64)> = named
        .map(|(key, name)| (name::key(&name), "name", key))
        .filter(|(name, _, _)| !name.is_empty())
        .collect();
    matching::insert_keys(db, &mut rows)
}
