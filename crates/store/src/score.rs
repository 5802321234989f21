//! Table `score`: how each customer was judged at the last sweep.

use crate::{Db, Fault};
use dunlin_domain::{
    Date, Decimal, Id,
    contract::{score::ScoreLine, types::Grade},
};

/// Where a page of scores ended: order and customer.
pub type After = (i64, i64);

/// A judgement to store: customer, score, order, grade, model, facts as JSON.
pub type Judged = (i64, Option<Decimal>, i64, Option<Grade>, String, String);

/// The order of a customer without a score: after all others.
pub const UNSCORED: i64 = 10_000;

/// Stores the judgements of the business date; the grade that stood when alerts were last judged is kept beside the new
/// one.
pub fn upsert_all<D: Db>(
    db: &D,
    judged: &[Judged],
    day: Date,
    warned_on: Option<Date>,
) -> Result<(), Fault> {
    let (rows, day) = (crate::array(judged)?, day.to_string());
    let warned_on = warned_on.map(|day| day.to_string());
    let params = [(&rows).into(), (&day).into(), warned_on.as_ref().into()];
    db.execute(include_str!("../sql/score/upsert_all.sql"), &params)?;
    Ok(())
}

/// Judgements from the lowest score up.
pub fn page<D: Db>(db: &D, after: After, limit: u32) -> Result<Vec<(ScoreLine, After)>, Fault> {
    type Found = (i64, i64, Id, Date, Option<Decimal>, Option<Grade>, String);
    let params = [after.0.into(), after.1.into(), i64::from(limit).into()];
    let found: Vec<Found> = db.json(include_str!("../sql/score/page.sql"), &params)?;
    let line = |(order, key, customer_id, as_of, score, grade, model)| {
        (ScoreLine { customer_id, as_of, score, grade, model }, (order, key))
    };
    Ok(found.into_iter().map(line).collect())
}
