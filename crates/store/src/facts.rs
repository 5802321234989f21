//! What the ledger says of a customer's behaviour: sums over invoices and allocations.

use crate::{Db, Fault, Param, arrears::Range};
use dunlin_domain::{Currency, Date, facts::Behaviour};

type Found = (i64, Currency, u32, f64, f64, f64, f64, f64, f64, f64, u32);

/// The behaviour of the customers of the range up to the day, one entry for each customer and currency.
pub fn of_range<D: Db>(db: &D, range: Range, day: Date) -> Result<Vec<(i64, Behaviour)>, Fault> {
    let [today, year_ago, quarter_ago] =
        [day, day.minus_months(12)?, day.minus_months(3)?].map(|day| day.to_string());
    let params: [Param<'_>; 5] = [
        range.after.into(),
        range.upto.into(),
        (&today).into(),
        (&year_ago).into(),
        (&quarter_ago).into(),
    ];
    let found: Vec<Found> = db.json(include_str!("../sql/facts/of_range.sql"), &params)?;
    let behaviour = |row: Found| {
        let (
            customer,
            currency,
            items,
            weight,
            weighted,
            recent,
            recent_weighted,
            before,
            before_weighted,
            late,
            worst,
        ) = row;
        let behaviour = Behaviour {
            currency,
            items,
            all: (weight, weighted),
            recent: (recent, recent_weighted),
            before: (before, before_weighted),
            late,
            worst_days_late: worst,
        };
        (customer, behaviour)
    };
    Ok(found.into_iter().map(behaviour).collect())
}
