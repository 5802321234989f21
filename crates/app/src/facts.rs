//! Facts of behaviour: what the ledger sums to, and the limit that credit checks go by on the day.

use crate::credit;
use dunlin_domain::arrange::mapped;
use dunlin_domain::{
    Id, Money,
    contract::score::Facts,
    credit::{
        approval,
        limit::{self, Entry},
        rates::Rates,
    },
    facts::{Sums, combine, converted},
};
use dunlin_store::{Db, Fault, When, arrears::Range, customer, facts as ledger};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known of the customers of a range on a day.
#[derive(Debug)]
pub struct Found {
    when: When,
    sums: HashMap<i64, Sums>,
    /// The limits in force: who has none, or may owe without end, is not there.
    pub limits: BTreeMap<i64, Money>,
    /// What turns what is owed into the currencies of limits.
    rates: Rates,
}

impl Found {
    /// Takes out what is summed of a customer.
    pub fn take(&mut self, customer: i64) -> Option<Sums> {
        self.sums.remove(&customer)
    }

    /// The facts of a customer from what is summed of it.
    pub fn facts(&self, (customer, id): (i64, &Id), sums: &Sums) -> Facts {
        let limit = self.limits.get(&customer).copied();
        combine(id, self.when.day, sums, limit, &self.rates)
    }
}

/// What is known of the customers of the range.
pub fn of_range<D: Db>(db: &D, range: Range, when: impl Into<When>) -> Result<Found, Fault> {
    let when = when.into();
    let limits = limits(db, range, when)?;
    let sums = ledger::of_range(db, range, when, &limits)?;
    let mut pairs = BTreeSet::new();
    for (customer, limit) in &limits {
        let found = sums.get(customer).into_iter();
        let from = found.flat_map(|of| converted(of, limit.currency));
        pairs.extend(from.map(|from| (from, limit.currency)));
    }
    let rates = credit::rates_of(db, pairs, when)?;
    Ok(Found { when, sums, limits, rates })
}

/// The customers' own limits on the day, as credit checks see them: the dated or temporary one in force, and where there
/// never was one, what counts of the record's.
pub fn limits<D: Db>(
    db: &D,
    range: Range,
    when: impl Into<When>,
) -> Result<BTreeMap<i64, Money>, Fault> {
    let when = when.into();
    let (records, dated, thresholds) = ledger::limits(db, range, when)?;
    let mut records = mapped(records);
    for (customer, former) in customer::formers_of_range(db, range, when)? {
        match former.credit_limit {
            Some(limit) => records.insert(customer, limit),
            None => records.remove(&customer),
        };
    }
    if let Some(thresholds) = thresholds {
        let currencies = records.values().map(|record| record.currency);
        let rates = credit::rates_of(db, approval::pairs(&thresholds, currencies), when)?;
        for record in records.values_mut() {
            *record = approval::of_record(&thresholds, *record, &rates);
        }
    }
    let mut ledgers: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
    for (customer, entry) in dated {
        ledgers.entry(customer).or_default().push(entry);
    }
    for (customer, ledger) in ledgers {
        let record = records.remove(&customer);
        let own = limit::on(when.day, &ledger, record, None).individual;
        if let Some(own) = own.filter(|own| !own.unlimited) {
            records.insert(customer, Money { minor: own.minor, currency: own.currency });
        }
    }
    Ok(records)
}
