//! Table `review`: when a person last looked at each customer, and is to look again.

use crate::{Db, Fault};
use dunlin_domain::{
    Date, Decimal, Id,
    contract::{score::ReviewTask, types::Grade},
};

/// Where a page of reviews ended: day and customer.
pub type After = (String, i64);

/// Customer, since when it is judged, when it was reviewed, when it is due.
pub type Row = (i64, Date, Option<Date>, Option<Date>);

/// What is known of these customers' reviews.
pub fn of<D: Db>(db: &D, customers: &[i64]) -> Result<Vec<Row>, Fault> {
    let customers = crate::array(customers)?;
    db.json(
        "SELECT json_group_array(json_array(customer_key, since_on, reviewed_on, due_on)) FROM review
         WHERE customer_key IN (SELECT value FROM json_each(?1))",
        &[(&customers).into()],
    )
}

/// Writes rows, new or in the place of those before.
pub fn put_all<D: Db>(db: &D, rows: &[Row]) -> Result<(), Fault> {
    let rows = crate::array(rows)?;
    db.execute(sql!("review/put_all.sql"), &[(&rows).into()])?;
    Ok(())
}

/// Names the audit entry of a customer's last review.
pub fn noted<D: Db>(db: &D, customer: i64, entry: i64) -> Result<(), Fault> {
    let sql = "UPDATE review SET entry_key = ?2 WHERE customer_key = ?1";
    db.execute(sql, &[customer.into(), entry.into()])?;
    Ok(())
}

/// Reviews due by the day, the earliest first.
pub fn page<D: Db>(
    db: &D,
    after: &After,
    limit: u32,
    by: Date,
) -> Result<Vec<(ReviewTask, After)>, Fault> {
    type Found = (Date, i64, Id, Option<Date>, Option<Grade>, Option<Decimal>);
    let by = by.to_string();
    let params = [(&after.0).into(), after.1.into(), i64::from(limit).into(), (&by).into()];
    let found: Vec<Found> = db.json(sql!("review/page.sql"), &params)?;
    let task = |(due_on, key, customer_id, reviewed_on, grade, score): Found| {
        let after = (due_on.to_string(), key);
        (ReviewTask { customer_id, due_on, reviewed_on, grade, score }, after)
    };
    Ok(found.into_iter().map(task).collect())
}

/// Customers whose review is due by the day and for whose due date no limit was looked at, the earliest first.
pub fn without_proposal<D: Db>(db: &D, by: Date, limit: u32) -> Result<Vec<i64>, Fault> {
    let by = by.to_string();
    db.json(
        "SELECT json_group_array(customer_key) FROM (
             SELECT customer_key FROM review WHERE due_on <= ?1 AND proposed_for IS NOT due_on
             ORDER BY due_on, customer_key LIMIT ?2
         )",
        &[(&by).into(), i64::from(limit).into()],
    )
}

/// Notes that a limit was looked at for the due date of these customers.
pub fn proposed<D: Db>(db: &D, customers: &[i64]) -> Result<(), Fault> {
    let customers = crate::array(customers)?;
    db.execute(
        "UPDATE review SET proposed_for = due_on WHERE customer_key IN (SELECT value FROM json_each(?1))",
        &[(&customers).into()],
    )?;
    Ok(())
}
