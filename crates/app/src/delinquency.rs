//! How late documents and customers were: buckets day by day, and classes.

use crate::invoice;
use dunlin_domain::{
    Id, Refusal, classification,
    contract::ledger::{BucketHistory, BucketSpan, CustomerClass},
    delinquency, policy,
};
use dunlin_store::{Db, Fault, When, customer, delinquency as table, policy as policies};

/// The buckets a document or instalment was in up to the day, as known then.
pub fn buckets<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<BucketHistory, Fault> {
    let when = when.into();
    let day = when.day;
    let absent = || missing("document of that day or before");
    let (key, customer, ..) = table::document(db, id)?.ok_or_else(absent)?;
    if !invoice::is_there(db, key, when)? {
        return Err(absent());
    }
    let policy = policies::known(db, when.known)?;
    let parts = table::parts(db, customer, Some(key), when)?;
    let (grace, buckets) = (policy::grace(&policy), policy::buckets(&policy));
    let spans = delinquency::history(&parts, grace, &buckets, day);
    let ends = spans.iter().skip(1).map(|next| next.from.plus_days(-1).ok()).chain([None]);
    let spans = spans.iter().zip(ends).map(|(span, to)| BucketSpan {
        bucket: span.bucket.clone(),
        from: span.from,
        to,
        delinquent_days: span.delinquent_days,
    });
    Ok(BucketHistory { invoice_id: id.to_string(), spans: spans.collect() })
}

/// The class of a customer on the day. Without classes in the policy, how late it is and no class.
pub fn class<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<CustomerClass, Fault> {
    let when = when.into();
    let day = when.day;
    let key = customer::known_key(db, id, when.known)?.ok_or_else(|| missing("customer"))?;
    let parts = table::parts(db, key, None, when)?;
    let late = parts.iter().filter(|part| part.is_open(day));
    let days_past_due = late.map(|part| day.days_past_due(part.due_on)).max().unwrap_or(0);
    let answer = |class, because| CustomerClass {
        customer_id: id.clone(),
        as_of: day,
        class,
        days_past_due,
        because,
    };
    let Some(rule) = policies::known(db, when.known)?.classification else {
        return Ok(answer(None, "the policy has no classes".to_string()));
    };
    let scale = classification::scale(&rule)?;
    let times = classification::overdue_times(&parts, day);
    let found = classification::class_on(&scale, &times, days_past_due, day);
    Ok(answer(Some(found.class), found.because))
}

fn missing(noun: &str) -> Fault {
    Fault::refused(Refusal::NotFound, format!("no {noun} has this id"))
}
