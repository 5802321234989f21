//! What is open by day: the sums behind the reports.

use crate::{Db, Fault, Param, When, arrears::Range, customer, when::as_known};
use dunlin_domain::{
    Currency, Date, Id, Money,
    contract::{
        report::{AgeingBasis, OverdueItem},
        types::InvoiceKind,
    },
};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// What is open with one basis date: date, currency, kind, amount.
pub type DayOpen = (Date, Currency, InvoiceKind, i64);

/// What one customer has open with one basis date.
pub type CustomerOpen = (Id, Currency, Date, i64);

/// Where a page of overdue items ended: due date and key.
pub type After = (String, i64);

fn asked<D: Db, T: DeserializeOwned>(
    db: &D,
    known: i64,
    statement: &str,
    params: &[Param<'_>],
) -> Result<T, Fault> {
    as_known(db, sql!("ageing/as_known.sql"), known, statement, params)
}

/// What was open on the day by due date or date of issue.
pub fn by_day<D: Db>(db: &D, when: When, basis: AgeingBasis) -> Result<Vec<DayOpen>, Fault> {
    let sql = match basis {
        AgeingBasis::Due => sql!("ageing/by_day.sql"),
        AgeingBasis::Issued => sql!("ageing/by_issue_day.sql"),
    };
    asked(db, when.known, sql, &[(&when.day.to_string()).into()])
}

/// What the customers of the range had open on the day.
pub fn by_customer<D: Db>(
    db: &D,
    range: Range,
    when: When,
    basis: AgeingBasis,
) -> Result<Vec<CustomerOpen>, Fault> {
    let (day, due) = (when.day.to_string(), i64::from(basis == AgeingBasis::Due));
    let params: [Param<'_>; 4] = [(&day).into(), range.after.into(), range.upto.into(), due.into()];
    asked(db, when.known, sql!("ageing/by_customer.sql"), &params)
}

/// Payments that were not set against an invoice by the day, by currency.
pub fn unallocated<D: Db>(db: &D, when: When) -> Result<Vec<(Currency, i64)>, Fault> {
    asked(db, when.known, sql!("ageing/unallocated.sql"), &[(&when.day.to_string()).into()])
}

/// What was overdue on the day, oldest due first.
pub fn overdue<D: Db>(
    db: &D,
    after: &After,
    limit: u32,
    when: When,
) -> Result<Vec<(OverdueItem, After)>, Fault> {
    type Row = (Date, i64, Id, Id, String, i64, Currency, i64, i64);
    let (day, text) = (when.day, when.day.to_string());
    let changed = db.int(
        "SELECT EXISTS (SELECT 1 FROM allocation WHERE allocated_on > ?1)",
        &[(&text).into()],
    )?;
    let sql = match changed {
        0 if when.knows_all() => sql!("invoice/overdue_page.sql"),
        _ => sql!("invoice/overdue_then.sql"),
    };
    let params: [Param<'_>; 4] =
        [(&after.0).into(), after.1.into(), i64::from(limit).into(), (&text).into()];
    let rows: Vec<Row> = asked(db, when.known, sql, &params)?;
    // Names read as on the day and as they were known, like all else.
    let keys: BTreeSet<i64> = rows.iter().map(|row| row.8).collect();
    let formers = customer::formers(db, &keys.into_iter().collect::<Vec<_>>(), when)?;
    let item = |row: Row| {
        let (due_on, key, invoice_id, customer_id, name, minor, currency, disputed, customer) = row;
        let item = OverdueItem {
            invoice_id,
            customer_id,
            customer_name: formers.get(&customer).map_or(name, |former| former.name.clone()),
            due_on,
            days_past_due: day.days_past_due(due_on),
            open: Money { minor, currency },
            disputed: disputed != 0,
        };
        (item, (due_on.to_string(), key))
    };
    Ok(rows.into_iter().map(item).collect())
}

/// Invoices less credit notes by currency and month of issue, newest month first.
pub fn sales<D: Db>(db: &D, from: Date, to: When) -> Result<Vec<(Currency, String, i64)>, Fault> {
    let (from, day) = (from.to_string(), to.day.to_string());
    asked(db, to.known, sql!("invoice/sales_by_month.sql"), &[(&from).into(), (&day).into()])
}
