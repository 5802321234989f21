//! Reports over the whole book, for any day.

use dunlin_domain::{
    Currency, Date, Id,
    ageing::{Edges, Totals},
    contract::{
        report::{
            Ageing, AgeingBasis, AgeingCustomer, AgeingLine, Dso, DsoLine, DsoMethod, OverdueItem,
            Snapshot,
        },
        types::InvoiceKind,
    },
    dso::{self, Month},
};
use dunlin_store::{Db, Fault, When, ageing, ageing::After, arrears::Range, sweep};
use std::collections::BTreeMap;

/// What is asked of an ageing.
#[derive(Clone, Debug)]
pub struct Question {
    /// The day of the balance.
    pub as_of: Date,
    /// The last entry of the audit chain that was known.
    pub known: i64,
    /// The day to which the age is counted.
    pub aged_as_of: Date,
    /// What the age is counted from.
    pub basis: AgeingBasis,
    /// Where the buckets end.
    pub edges: Edges,
}

impl Question {
    fn when(&self) -> When {
        When { day: self.as_of, known: self.known }
    }
}

/// The ageing of the whole book by currency.
pub fn ageing<D: Db>(db: &D, question: Question) -> Result<Ageing, Fault> {
    Ok(Ageing {
        as_of: question.as_of,
        aged_as_of: question.aged_as_of,
        basis: question.basis,
        edges: question.edges.days().to_vec(),
        totals: totals(db, &question)?,
        customers: Vec::new(),
        next: None,
    })
}

/// One line a currency: what is open by age, and what is unapplied beside it.
pub fn totals<D: Db>(db: &D, question: &Question) -> Result<Vec<AgeingLine>, Fault> {
    let mut lines: BTreeMap<Currency, (Totals, i64)> = BTreeMap::new();
    let empty = || (Totals::new(&question.edges), 0i64);
    for (basis_on, currency, kind, minor) in ageing::by_day(db, question.when(), question.basis)? {
        let (totals, unapplied) = lines.entry(currency).or_insert_with(empty);
        if kind == InvoiceKind::CreditNote {
            *unapplied = sum(*unapplied, minor)?;
        } else {
            totals.add(question.edges.bucket(question.aged_as_of.days_since(basis_on)), minor)?;
        }
    }
    for (currency, minor) in ageing::unallocated(db, question.when())? {
        let (_, unapplied) = lines.entry(currency).or_insert_with(empty);
        *unapplied = sum(*unapplied, minor)?;
    }
    let lines = lines
        .into_iter()
        .map(|(currency, (totals, unapplied))| totals.into_line(currency, unapplied));
    Ok(lines.filter(|line| line.total_minor != 0 || line.unapplied_minor != 0).collect())
}

/// The ageing of the next so many customers after a key, and where the page after goes on.
pub fn ageing_by_customer<D: Db>(
    db: &D,
    question: &Question,
    after: i64,
    limit: u32,
) -> Result<(Vec<AgeingCustomer>, Option<i64>), Fault> {
    let Some(range) = Range::next(db, after, limit)? else { return Ok((Vec::new(), None)) };
    let mut lines: Vec<(Id, Currency, Totals)> = Vec::new();
    for (id, currency, basis_on, minor) in
        ageing::by_customer(db, range, question.when(), question.basis)?
    {
        if lines.last().is_none_or(|(last, of, _)| *last != id || *of != currency) {
            lines.push((id, currency, Totals::new(&question.edges)));
        }
        if let Some((_, _, totals)) = lines.last_mut() {
            totals.add(question.edges.bucket(question.aged_as_of.days_since(basis_on)), minor)?;
        }
    }
    let line = |(customer_id, currency, totals): (Id, Currency, Totals)| AgeingCustomer {
        customer_id,
        currency,
        not_due_minor: totals.not_due_minor(),
        buckets_minor: totals.buckets_minor().to_vec(),
        total_minor: totals.total_minor(),
    };
    let more = Range::next(db, range.upto, 1)?.map(|_| range.upto);
    Ok((lines.into_iter().map(line).collect(), more))
}

/// What was overdue on the day.
pub fn overdue<D: Db>(
    db: &D,
    after: &After,
    limit: u32,
    when: impl Into<When>,
) -> Result<Vec<(OverdueItem, After)>, Fault> {
    ageing::overdue(db, after, limit, when.into())
}

/// Days sales outstanding over the month of the day and the months before it, so many in all.
pub fn dso<D: Db>(
    db: &D,
    when: impl Into<When>,
    months: u32,
    method: DsoMethod,
) -> Result<Dso, Fault> {
    let when = when.into();
    let (as_of, known) = (when.day, when.known);
    let from = as_of.month_start().minus_months(months.saturating_sub(1))?;
    let calendar = calendar(from, as_of)?;
    let mut sales: BTreeMap<Currency, BTreeMap<String, i64>> = BTreeMap::new();
    for (currency, month, minor) in ageing::sales(db, from, when)? {
        sales.entry(currency).or_default().insert(month, minor);
    }
    let question = Question {
        as_of,
        known,
        aged_as_of: as_of,
        basis: AgeingBasis::Due,
        edges: Edges::default(),
    };
    let totals = totals(db, &question)?;
    let mut currencies: Vec<Currency> =
        sales.keys().copied().chain(totals.iter().map(|line| line.currency)).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let line = |currency| {
        let owed = totals.iter().find(|line| line.currency == currency);
        let (receivables_minor, current_minor) =
            owed.map_or((0, 0), |line| (line.total_minor, line.not_due_minor));
        let of = sales.get(&currency);
        let months: Vec<Month> = calendar
            .iter()
            .map(|(month, days)| Month {
                sales_minor: of.and_then(|of| of.get(month)).copied().unwrap_or(0),
                days: *days,
            })
            .collect();
        let sales_minor =
            months.iter().try_fold(0, |total, month| sum(total, month.sales_minor))?;
        let days = dso::days(method, receivables_minor, current_minor, &months);
        let receivables_minor =
            if method == DsoMethod::BestPossible { current_minor } else { receivables_minor };
        Ok(DsoLine { currency, days, receivables_minor, sales_minor })
    };
    Ok(Dso {
        as_of,
        months,
        from,
        period_days: calendar.iter().map(|(_, days)| days).sum(),
        method,
        lines: currencies.into_iter().map(line).collect::<Result<_, Fault>>()?,
    })
}

/// Each month from `from` to `to` with its days, newest first; the last counts the days so far.
fn calendar(from: Date, to: Date) -> Result<Vec<(String, u32)>, Fault> {
    let mut months = Vec::new();
    let mut last = to;
    while last >= from {
        let first = last.month_start();
        let days = u32::try_from(last.days_since(first).saturating_add(1)).unwrap_or(0);
        months.push((first.to_string().chars().take(7).collect(), days));
        last = first.plus_days(-1)?;
    }
    Ok(months)
}

fn sum(a: i64, b: i64) -> Result<i64, Fault> {
    Ok(dunlin_domain::money::sum([a, b])?)
}

/// The book as the sweeps left it, newest first.
pub fn snapshots<D: Db>(db: &D, before: &str, limit: u32) -> Result<Vec<Snapshot>, Fault> {
    sweep::snapshots(db, before, limit)
}
