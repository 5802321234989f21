//! The limit policy: published, tried on the book, and proposed from.

use super::{Now, limit::proposed_id};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
};
use dunlin_domain::{
    Date, Id, Instant,
    contract::{
        credit::{
            LimitKind, LimitPolicy, LimitReview, LimitSimulation, LimitSource, LimitState,
            NewLimit, PublishedPolicy,
        },
        types::CustomerStatus,
    },
    credit::{
        limit,
        policy::{Facts, check, proposal},
    },
    money,
};
use dunlin_store::{
    Db, Fault, alert,
    credit::{self, Among, Candidate},
    review as table, write,
};

/// Customers in one slice of a simulation or review: some tens of milliseconds.
const SLICE: u32 = 5_000;

/// Customers whose review is due and that are looked at in one transaction, so that others get their turn.
const DUE: u32 = 500;

/// The policy in force.
pub fn get<D: Db>(db: &D) -> Result<PublishedPolicy, Fault> {
    let (version, policy) = credit::policy(db)?.ok_or_else(|| missing("limit policy"))?;
    Ok(PublishedPolicy { version, policy })
}

/// Publishes a policy.
pub fn publish<D: Db>(
    db: &D,
    new: &LimitPolicy,
    author: &Author,
) -> Result<(PublishedPolicy, Change), Fault> {
    check(new)?;
    write(db, |db| {
        let before = credit::policy(db)?;
        if let Some((version, before)) = before.as_ref().filter(|(_, before)| before == new) {
            let policy = before.clone();
            return Ok((PublishedPolicy { version: *version, policy }, Change::AlreadySo));
        }
        let was = before.as_ref().map(|(_, policy)| policy);
        let (action, change) = match was {
            None => ("create", Change::Made),
            Some(_) => ("replace", Change::Replaced),
        };
        let what = Note::changed(action, "limit_policy", "limit-policy", was, Some(new))?;
        let entry = note(db, author, &what)?;
        credit::insert_policy(db, new, entry)?;
        Ok((get(db)?, change))
    })
}

/// The limit that would be proposed for a customer, beside the one it has. `None`: none, or the same.
fn proposed(policy: &LimitPolicy, of: &Candidate, day: Date) -> Option<(Option<i64>, i64)> {
    if matches!(of.status, CustomerStatus::Suspended | CustomerStatus::Closed) {
        return None;
    }
    let limits = limit::on(day, of.ledger(), of.limit, None);
    let now = limits.individual.as_ref();
    if now.is_some_and(|line| line.unlimited || line.currency != policy.currency) {
        return None;
    }
    let (turnover, first_on, _) = of.bought;
    let tenure = first_on.map_or(0, |first| day.days_past_due(first));
    let facts = Facts {
        tier: of.tier.as_deref(),
        grade: of.grade,
        turnover_minor: turnover.unwrap_or(0),
        guaranteed_minor: of.guaranteed_minor.unwrap_or(0),
        tenure_days: tenure,
    };
    let now = now.map(|line| line.minor);
    proposal(policy, &facts).filter(|minor| Some(*minor) != now).map(|minor| (now, minor))
}

/// Whether the limit in force began too lately to be looked at again.
fn is_cooling(policy: &LimitPolicy, of: &Candidate, day: Date) -> bool {
    let cooling = i64::from(policy.cooling_days.unwrap_or(0));
    let limits = limit::on(day, of.ledger(), of.limit, None);
    let began = limits.individual.and_then(|line| line.from);
    began.is_some_and(|from| day.days_since(from) < cooling)
}

/// How the book would change under a policy, without changing it.
pub fn simulate<D: Db>(
    db: &D,
    policy: &LimitPolicy,
    day: Option<Date>,
    at: Instant,
) -> Result<LimitSimulation, Fault> {
    check(policy)?;
    let day = match day {
        Some(day) => day,
        None => Now::new(db, at)?.today,
    };
    let mut found = LimitSimulation {
        as_of: day,
        customers: 0,
        proposed: 0,
        raised: 0,
        lowered: 0,
        first: 0,
        below_outstanding: 0,
        now_minor: 0,
        proposed_minor: 0,
        currency: policy.currency,
    };
    let (mut after, mut more) = (0, true);
    while more {
        let slice = credit::candidates(db, Among::After(after, SLICE), day, policy.currency)?;
        more = slice.len() == usize::try_from(SLICE).unwrap_or(usize::MAX);
        for of in &slice {
            after = of.key;
            found.customers = found.customers.saturating_add(1);
            let Some((now, minor)) = proposed(policy, of, day) else { continue };
            let one = |count: &mut u64, holds: bool| {
                *count = count.saturating_add(u64::from(holds));
            };
            one(&mut found.proposed, true);
            one(&mut found.first, now.is_none());
            one(&mut found.raised, now.is_some_and(|now| minor > now));
            one(&mut found.lowered, now.is_some_and(|now| minor < now));
            one(&mut found.below_outstanding, minor < of.bought.2.unwrap_or(0));
            found.now_minor = money::sum([found.now_minor, now.unwrap_or(0)])?;
            found.proposed_minor = money::sum([found.proposed_minor, minor])?;
        }
    }
    Ok(found)
}

/// Looks at a slice of the book after a customer and proposes limits, which wait for a key.
pub fn review<D: Db>(db: &D, after: i64, author: &Author) -> Result<LimitReview, Fault> {
    write(db, |db| {
        let policy = get(db)?.policy;
        let day = Now::new(db, author.at)?.today;
        let slice = credit::candidates(db, Among::After(after, SLICE), day, policy.currency)?;
        let full = slice.len() == usize::try_from(SLICE).unwrap_or(usize::MAX);
        let next = slice.last().filter(|_| full).map(|of| of.key.to_string());
        let wanted = slice.iter().filter(|of| !of.waits() && !is_cooling(&policy, of, day));
        let wanted = wanted.filter_map(|of| Some((of, proposed(&policy, of, day)?.1)));
        let proposed = propose(db, wanted, (&policy, day), LimitSource::Review, author)?;
        let customers = u64::try_from(slice.len()).unwrap_or(u64::MAX);
        Ok(LimitReview { customers, proposed, next })
    })
}

/// Proposes limits for whoever's review came due, once for each due date.
pub(crate) fn due<D: Db>(db: &D, author: &Author) -> Result<u64, Fault> {
    let (mut proposed, mut more) = (0u64, true);
    while more {
        let (found, full) = write(db, |db| due_slice(db, author))?;
        (proposed, more) = (proposed.saturating_add(found), full);
    }
    Ok(proposed)
}

/// A slice of those, and whether there may be more.
fn due_slice<D: Db>(db: &D, author: &Author) -> Result<(u64, bool), Fault> {
    let Some((_, policy)) = credit::policy(db)? else { return Ok((0, false)) };
    let day = Now::new(db, author.at)?.today;
    let keys = table::without_proposal(db, day, DUE)?;
    if keys.is_empty() {
        return Ok((0, false));
    }
    let found = credit::candidates(db, Among::These(&keys), day, policy.currency)?;
    let wanted = found.iter().filter(|of| !of.waits() && !is_cooling(&policy, of, day));
    let wanted = wanted.filter_map(|of| Some((of, self::proposed(&policy, of, day)?.1)));
    let proposed = propose(db, wanted, (&policy, day), LimitSource::Review, author)?;
    table::proposed(db, &keys)?;
    Ok((proposed, keys.len() == usize::try_from(DUE).unwrap_or(usize::MAX)))
}

/// Proposes a cut for whoever's grade worsened yesterday or today, once for each day.
pub(crate) fn cut<D: Db>(db: &D, author: &Author) -> Result<u64, Fault> {
    write(db, |db| {
        let Some((_, policy)) = credit::policy(db)? else { return Ok(0) };
        let day = Now::new(db, author.at)?.today;
        let keys = alert::worsened_since(db, day.plus_days(-1)?)?;
        if keys.is_empty() {
            return Ok(0);
        }
        let found = credit::candidates(db, Among::These(&keys), day, policy.currency)?;
        let lower = |of: &Candidate| {
            let (now, minor) = proposed(&policy, of, day)?;
            (!of.waits() && now.is_some_and(|now| minor < now)).then_some(minor)
        };
        let wanted = found.iter().filter_map(|of| Some((of, lower(of)?)));
        propose(db, wanted, (&policy, day), LimitSource::Alert, author)
    })
}

/// Records proposals, all under one entry.
fn propose<'a, D: Db>(
    db: &D,
    wanted: impl Iterator<Item = (&'a Candidate, i64)>,
    (policy, day): (&LimitPolicy, Date),
    source: LimitSource,
    author: &Author,
) -> Result<u64, Fault> {
    let row = |(of, minor): (&Candidate, i64)| {
        let limit = NewLimit {
            minor: Some(minor),
            currency: policy.currency,
            from: Some(day),
            to: None,
            kind: Some(LimitKind::Individual),
            unlimited: Some(false),
            mandatory: Some(false),
            reason: None,
        };
        Ok((proposed_id(&of.id, day, source)?, of.key, limit))
    };
    let rows = wanted.map(row).collect::<Result<Vec<(Id, i64, NewLimit)>, Fault>>()?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<&Id> = rows.iter().map(|(id, _, _)| id).collect();
    let what = Note::changed("propose", "limit_policy", source.name(), None::<&Id>, Some(&ids))?;
    let entry = note(db, author, &what)?;
    credit::insert_limits(db, &rows, (LimitState::Pending, source), &author.who, entry)
}
