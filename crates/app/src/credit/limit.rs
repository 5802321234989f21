//! Limits: a ledger of what was asked for, what counts, and since when.

use super::{Asked, Now, Then, order::of_customer, position_then, rates};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, known_customer, missing},
    score::made_id,
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    contract::{
        credit::{Limit, LimitKind, LimitPolicy, LimitSource, LimitStanding, LimitState, NewLimit},
        types::Language,
    },
    credit::{check, limit},
};
use dunlin_store::{Db, Fault, credit, customer, write};
use serde_json::json;

/// The most limits of a customer that are looked through for one from the same day.
const LOOKED_THROUGH: u32 = 1_000;

/// Sets a limit. From the threshold of the limit policy on it waits for a second key.
pub fn put<D: Db>(
    db: &D,
    customer_id: &Id,
    new: &NewLimit,
    made: &Id,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| {
        let now = Now::new(db, author.at)?;
        let new = limit::settled(new, now.today)?;
        let key = known_customer(db, customer_id).map_err(of_customer)?;
        if new.kind == Some(LimitKind::Group) {
            let place = customer::place(db, customer_id)?;
            if place.is_some_and(|place| place.parent_key.is_some()) {
                let detail = "the limit of a group is that of its head";
                return Err(Refused::new(Refusal::MalformedField, detail).at("kind").into());
            }
        }
        let all = credit::limits(db, i64::MAX, LOOKED_THROUGH, Some(customer_id), None, None)?;
        let mut standing = all.into_iter().map(|(_, limit)| limit).filter(|limit| {
            limit.state != LimitState::Refused
                && Some(limit.kind) == new.kind
                && Some(limit.from) == new.from
        });
        let before = standing.next();
        if before.as_ref().is_some_and(|before| as_written(before) == new) {
            return Ok(Change::AlreadySo);
        }
        let waits = needs_second_key(credit::policy(db)?.map(|(_, of)| of).as_ref(), &new);
        let state = if waits { LimitState::Pending } else { LimitState::Approved };
        let action = if before.is_some() { "replace" } else { "create" };
        // Why is free text about a customer, and kept apart.
        let public = |new: &NewLimit| NewLimit { reason: None, ..new.clone() };
        let (was, now) = (before.as_ref().map(as_written), public(&new));
        let before_public = was.as_ref().map(public);
        let mut what = Note::changed(
            action,
            "credit_limit",
            made.as_str(),
            before_public.as_ref(),
            Some(&now),
        )?;
        let reasons = (was.and_then(|was| was.reason), new.reason.as_deref());
        if reasons.0.is_some() || reasons.1.is_some() {
            let reasons = json!({"before": {"reason": reasons.0}, "after": {"reason": reasons.1}});
            what = what.with_personal(&reasons, key)?;
        }
        let entry = note(db, author, &what)?;
        let rows = [(made.clone(), key, new)];
        credit::insert_limits(db, &rows, (state, LimitSource::Key), &author.who, entry)?;
        Ok(if before.is_some() { Change::Replaced } else { Change::Made })
    })
}

fn as_written(limit: &Limit) -> NewLimit {
    NewLimit {
        minor: Some(limit.minor),
        currency: limit.currency,
        from: Some(limit.from),
        to: limit.to,
        kind: Some(limit.kind),
        unlimited: Some(limit.unlimited),
        mandatory: Some(limit.mandatory),
        reason: limit.reason.clone(),
    }
}

/// Whether a limit waits for a second key.
pub(super) fn needs_second_key(policy: Option<&LimitPolicy>, new: &NewLimit) -> bool {
    let thresholds = policy.and_then(|policy| policy.second_key_from.as_deref());
    thresholds.unwrap_or_default().iter().any(|of| {
        new.unlimited == Some(true)
            || (of.currency == new.currency && new.minor.is_some_and(|minor| minor >= of.minor))
    })
}

/// Approves a limit that waits, or turns it down. From the threshold on never by the key that asked for it.
pub fn decide<D: Db>(
    db: &D,
    id: &Id,
    state: LimitState,
    author: &Author,
) -> Result<(Limit, Change), Fault> {
    write(db, |db| {
        let before = get(db, id)?;
        if before.state == state && before.decided_by.is_some() {
            return Ok((before, Change::AlreadySo));
        }
        if before.state != LimitState::Pending {
            let detail = format!("the limit is {}", before.state);
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let policy = credit::policy(db)?.map(|(_, policy)| policy);
        let asked = before.asked_by == author.who;
        if asked && needs_second_key(policy.as_ref(), &as_written(&before)) {
            let code = Refusal::SecondKeyNeeded;
            return Err(Fault::refused(code, code.about()));
        }
        let what = Note::changed(
            "decide",
            "credit_limit",
            id.as_str(),
            Some(&before.state),
            Some(&state),
        )?;
        let entry = note(db, author, &what)?;
        credit::decide_limit(db, id, state, &author.who, entry)?;
        Ok((get(db, id)?, Change::Replaced))
    })
}

/// A limit that was asked for.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Limit, Fault> {
    let mut found = credit::limits(db, 0, 1, None, None, Some(id))?;
    found.pop().map(|(_, limit)| limit).ok_or_else(|| missing("limit"))
}

/// The limits of a customer on a day, and which of them counts.
pub fn standing<D: Db>(
    db: &D,
    id: &Id,
    asked: impl Into<Asked>,
    language: Option<Language>,
    at: Instant,
) -> Result<LimitStanding, Fault> {
    let now = Now::new(db, at)?;
    let then = Then::new(db, asked.into(), &now)?;
    let day = then.when.day;
    let position = position_then(db, id, &then, (None, false))?;
    let limits = check::limits(&position, day);
    let rates = rates(db, &position, None, then.when)?;
    let (effective, decided) = limit::effective(&limits, &rates)?;
    Ok(LimitStanding {
        customer: id.clone(),
        as_of: day,
        why: check::why(&limits, decided, language.unwrap_or(now.language)),
        individual: limits.individual,
        group: limits.group,
        group_id: position.head.map(|head| head.id),
        effective,
        expired: limits.expired,
        pending: credit::waiting(db, id, then.when.known)?,
    })
}

/// The id of a limit that was proposed in a review: the same for the same customer and entry.
pub(super) fn proposed_id(customer: &Id, day: Date, source: LimitSource) -> Result<Id, Fault> {
    made_id("L", &[customer.as_str(), &day.to_string(), source.name()])
}
