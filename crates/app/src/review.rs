//! Reviews: when a person is to look at a customer, and that somebody did.

use crate::{
    audit::{Author, Note, note},
    ledger::{Change, day_or_today, missing},
};
use dunlin_domain::{
    Date, Id,
    card::Card,
    contract::{
        score::{Review, ReviewTask, Reviewed},
        types::Grade,
    },
};
use dunlin_store::{Db, Fault, customer, review, score, write};
use std::collections::HashMap;

/// After how many months a customer of this grade is reviewed.
pub(crate) fn months(card: &Card, grade: Grade) -> Option<u32> {
    let bound = card.document.grades.iter().find(|bound| bound.grade == grade)?;
    Some(bound.review_months)
}

/// Sets when the customers are due whose judgement is another, counted from their last review or else from their first
/// judgement. Runs inside a slice of the sweep.
pub(crate) fn schedule<D: Db>(
    db: &D,
    customers: &[(i64, Option<u32>)],
    day: Date,
) -> Result<(), Fault> {
    if customers.is_empty() {
        return Ok(());
    }
    let keys: Vec<i64> = customers.iter().map(|(key, _)| *key).collect();
    let known: HashMap<i64, review::Row> =
        review::of(db, &keys)?.into_iter().map(|row| (row.0, row)).collect();
    let mut rows = Vec::new();
    for (key, months) in customers {
        let row = known.get(key).copied();
        if row.is_none() && months.is_none() {
            continue;
        }
        let (_, since, reviewed, due_before) = row.unwrap_or((*key, day, None, None));
        let due = due(reviewed.unwrap_or(since), *months)?;
        if row.is_none() || due != due_before {
            rows.push((*key, since, reviewed, due));
        }
    }
    review::put_all(db, &rows)
}

fn due(from: Date, months: Option<u32>) -> Result<Option<Date>, Fault> {
    Ok(months.map(|months| from.plus_months(months)).transpose()?)
}

/// Reviews due by the day, the earliest first.
pub fn page<D: Db>(
    db: &D,
    after: &review::After,
    limit: u32,
    by: Date,
) -> Result<Vec<(ReviewTask, review::After)>, Fault> {
    review::page(db, after, limit, by)
}

/// Records that somebody looked at the customer: the next review is counted from there.
pub fn add<D: Db>(
    db: &D,
    id: &Id,
    new: &Review,
    author: &Author,
) -> Result<(Reviewed, Change), Fault> {
    write(db, |db| {
        let place = customer::place(db, id)?.ok_or_else(|| missing("customer"))?;
        if let Some((_, into)) = &place.merged {
            return Err(crate::customer::merged(into).at("id").into());
        }
        let on = day_or_today(db, new.on, author)?;
        let row = review::of(db, &[place.key])?.pop();
        let (_, since, before, due_before) = row.unwrap_or((place.key, on, None, None));
        if let Some(last) = before.filter(|last| *last >= on) {
            let same = Reviewed { customer_id: id.clone(), on: last, due_on: due_before };
            return Ok((same, Change::AlreadySo));
        }
        let months = match score::last(db, place.key)? {
            Some((Some(grade), model)) => {
                crate::card::of_model(db, &model)?.and_then(|card| months(&card, grade))
            }
            _ => None,
        };
        let due_on = due(on, months)?;
        let change = Note::changed("review", "review", id.as_str(), before.as_ref(), Some(&on))?;
        let entry = note(db, author, &change)?;
        review::put_all(db, &[(place.key, since, Some(on), due_on)])?;
        review::noted(db, place.key, entry)?;
        Ok((Reviewed { customer_id: id.clone(), on, due_on }, Change::Made))
    })
}
