//! The limit policy: published, tried on the book, and proposed from.

use super::{Now, limit::proposed_id, rates_of};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
};
use dunlin_domain::{
    Currency, Date, Id, Instant, Money,
    contract::{
        credit::{
            ApprovalThreshold, LimitKind, LimitLine, LimitPolicy, LimitReview, LimitSimulation,
            LimitSource, LimitState, LimitStep, NewLimit, PublishedPolicy,
        },
        types::CustomerStatus,
    },
    credit::{
        advice::trusted_grade,
        approval,
        limit::{self, Decided, Limits},
        policy::{self, Facts, InForce, borne, cut, proposal},
        rates::Rates,
        words::{self, Grounds},
    },
    money,
};
use dunlin_store::{
    Db, Fault, alert,
    credit_limit::{self, Among, Candidate},
    organisation, review as table, score, write,
};
use std::collections::{BTreeMap, BTreeSet};

/// Customers in one slice of a simulation or review: some tens of milliseconds.
const SLICE: u32 = 5_000;

/// The customers that a simulation names.
const MAX_FALLS: usize = 100;

/// What is more than any limit.
const UNLIMITED: i64 = i64::MAX;

/// Customers whose review is due and that are looked at in one transaction, so that others get their turn.
const DUE: u32 = 500;

/// The policy in force.
pub fn get<D: Db>(db: &D) -> Result<PublishedPolicy, Fault> {
    let (version, policy) = credit_limit::policy(db)?.ok_or_else(|| missing("limit policy"))?;
    Ok(PublishedPolicy { version, policy })
}

/// Publishes a policy.
pub fn publish<D: Db>(
    db: &D,
    new: &LimitPolicy,
    author: &Author,
) -> Result<(PublishedPolicy, Change), Fault> {
    policy::check(new)?;
    write(db, |db| {
        let before = credit_limit::policy(db)?;
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
        credit_limit::insert_policy(db, new, entry)?;
        if was.and_then(|was| was.second_key_from.as_ref()) != new.second_key_from.as_ref() {
            // What counts of the limits of records follows.
            score::outdate_all(db)?;
        }
        Ok((get(db)?, change))
    })
}

/// A policy that looks at a slice of the book.
struct View<'a> {
    policy: &'a LimitPolicy,
    /// What needs a second key now: of the limits of records counts what stays below.
    thresholds: &'a [ApprovalThreshold],
    day: Date,
    rates: Rates,
}

impl<'a> View<'a> {
    fn new<D: Db>(
        db: &D,
        policy: &'a LimitPolicy,
        thresholds: Option<&'a Vec<ApprovalThreshold>>,
        slice: &[Candidate],
        day: Date,
    ) -> Result<Self, Fault> {
        let thresholds = thresholds.map_or(&[][..], Vec::as_slice);
        let limits = slice.iter().flat_map(Candidate::currencies);
        let pairs = approval::pairs(thresholds, limits.chain([policy.currency]));
        Ok(Self { policy, thresholds, day, rates: rates_of(db, pairs, day.into())? })
    }

    /// What bounds a customer on the day, without temporary limits.
    fn limits(&self, of: &Candidate) -> Limits {
        let counts = |record: Money| approval::of_record(self.thresholds, record, &self.rates);
        let head = of.head().map(|record| record.map(counts));
        limit::lasting(self.day, of.ledger(), of.limit.map(counts), head)
    }

    /// What the policy grants, in its own currency.
    fn granted(&self, of: &Candidate) -> Option<i64> {
        if matches!(of.status, CustomerStatus::Suspended | CustomerStatus::Closed) {
            return None;
        }
        let facts = self.facts(of);
        let by_tier = proposal(self.policy, &facts);
        // It may have been sorted by a grade that is trusted no more: then what either grants.
        if facts.grade == of.grade {
            return by_tier;
        }
        by_tier.min(proposal(self.policy, &Facts { tier: None, ..facts }))
    }

    fn facts<'c>(&self, of: &'c Candidate) -> Facts<'c> {
        Facts {
            tier: of.tier.as_deref(),
            grade: trusted_grade(of.grade, of.merged_grade),
            turnover_minor: of.bought.turnover_minor,
            guaranteed_minor: borne(of.guarantees()),
            tenure_days: of.bought.first_on.map_or(0, |first| self.day.days_past_due(first)),
        }
    }

    /// What a limit is proposed from, under a version of the policy.
    fn grounds(&self, of: &Candidate, version: u32, after: Option<(Date, bool)>) -> Grounds {
        let facts = self.facts(of);
        let money = |minor| Money::new(minor, self.policy.currency);
        Grounds {
            version,
            tier: of.tier.clone(),
            grade: facts.grade,
            turnover: money(facts.turnover_minor),
            guaranteed: money(facts.guaranteed_minor),
            after,
        }
    }

    /// The limit that would be proposed, beside the customer's own in force, both in the policy's currency. `None`: none,
    /// the same, or one that cannot be compared.
    fn proposed(&self, of: &Candidate, limits: &Limits) -> Option<(Option<i64>, i64)> {
        let now = match &limits.individual {
            None => None,
            Some(line) if line.unlimited => return None,
            Some(line) => {
                Some(self.rates.down(line.minor, line.currency, self.policy.currency).ok()?)
            }
        };
        self.granted(of).filter(|minor| Some(*minor) != now).map(|minor| (now, minor))
    }

    /// What counts for a customer, in the policy's currency, [`UNLIMITED`] included; nothing where there is no limit or it
    /// has ended. `None` where it cannot be compared.
    fn effective(&self, limits: &Limits) -> Option<Option<i64>> {
        let (found, _) = limit::effective(limits, &self.rates).ok()?;
        let Some(found) = found.filter(|_| !limits.own_expired) else { return Some(None) };
        let Some(minor) = found.minor else { return Some(Some(UNLIMITED)) };
        self.rates.down(minor, found.currency, self.policy.currency).ok().map(Some)
    }

    /// What would count with a limit that is proposed in the place of what there is.
    fn with(&self, limits: &Limits, (now, minor): (Option<i64>, i64)) -> Option<i64> {
        let line = LimitLine {
            kind: LimitKind::Individual,
            minor,
            currency: self.policy.currency,
            unlimited: false,
            mandatory: is_mandatory(now.is_some(), minor),
            from: None,
            to: None,
            id: None,
        };
        let group = limits.group.clone();
        self.effective(&Limits { individual: Some(line), group, ..Limits::default() }).flatten()
    }

    /// Whether the limit in force began too lately to be looked at again.
    fn is_cooling(&self, limits: &Limits) -> bool {
        let cooling = i64::from(self.policy.cooling_days.unwrap_or(0));
        let began = limits.individual.as_ref().and_then(|line| line.from);
        began.is_some_and(|from| self.day.days_since(from) < cooling)
    }

    /// What a review proposes for whoever has nothing waiting, once a day under each version of the policy.
    fn reviewed(&self, slice: &[Candidate], version: u32) -> Result<Vec<Proposal>, Fault> {
        let mut found = Vec::new();
        for of in slice.iter().filter(|of| of.waiting().is_empty()) {
            let limits = self.limits(of);
            let wanted = self.proposed(of, &limits).filter(|_| !self.is_cooling(&limits));
            let Some((now, minor)) = wanted else { continue };
            // Under another policy the same customer may be looked at again on a day.
            let why = format!("{} {}", LimitSource::Review, version);
            let id = proposed_id(&of.id, self.day, &why)?;
            found.push(Proposal {
                id,
                customer: of.key,
                amount: Money::new(minor, self.policy.currency),
                to: None,
                is_other: now.is_some(),
                grounds: self.grounds(of, version, None),
            });
        }
        Ok(found)
    }

    /// The limit that an alert cuts, which is the one that decides, and until when: the customer's own, else a temporary
    /// one, or that of its group where it is lower or there is no other.
    fn cuts(&self, of: &Candidate) -> Option<(LimitLine, Option<Date>)> {
        let mut limits = self.limits(of);
        let own = limits.individual.take().filter(counts);
        // What ends comes down until then: what stood before it may be lower.
        let to = own.as_ref().map(|own| own.to);
        let temporary = || limit::on(self.day, of.ledger(), None, None).individual.filter(counts);
        limits.individual = own.or_else(temporary);
        if limits.own_expired && limits.individual.is_none() {
            return None;
        }
        let group = limits.group.is_some();
        let line = match limit::effective(&limits, &self.rates) {
            Ok((_, Decided::Group)) => limits.group,
            _ => limits.individual.or(limits.group),
        }?;
        // Where nothing follows a temporary limit, nothing follows its cut.
        let to = to.unwrap_or(line.to.filter(|_| !group));
        Some((line, to))
    }

    /// The lower limit that an alert leads to, in the currency of the one in force.
    fn lower(&self, of: &Candidate, line: &LimitLine, is_grave: bool) -> Option<Money> {
        let currency = if line.unlimited { self.policy.currency } else { line.currency };
        let in_currency = |minor: i64| self.rates.down(minor, self.policy.currency, currency).ok();
        let in_force = InForce {
            minor: Some(line.minor).filter(|_| !line.unlimited),
            granted: self.granted(of).and_then(in_currency),
            outstanding: of.bought.outstanding_minor,
            is_grave,
        };
        let minor = cut(self.policy, &in_force)?;
        let is_as_low = |(waits, code, unlimited): &(i64, Currency, u8)| {
            *unlimited == 0 && *code == currency && *waits <= minor
        };
        let waits = of.waiting().iter().any(is_as_low);
        (!waits).then_some(Money::new(minor, currency))
    }
}

/// A limit that is proposed.
struct Proposal {
    id: Id,
    customer: i64,
    amount: Money,
    to: Option<Date>,
    /// Whether it takes the place of another.
    is_other: bool,
    grounds: Grounds,
}

/// How the book would change under a policy, without changing it.
pub fn simulate<D: Db>(
    db: &D,
    policy: &LimitPolicy,
    day: Option<Date>,
    at: Instant,
) -> Result<LimitSimulation, Fault> {
    self::policy::check(policy)?;
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
        falls: Vec::new(),
        now_minor: 0,
        proposed_minor: 0,
        currency: policy.currency,
    };
    let thresholds = credit_limit::policy(db)?.and_then(|(_, in_force)| in_force.second_key_from);
    let mut falls: Vec<LimitStep> = Vec::new();
    let (mut after, mut more) = (0, true);
    while more {
        let slice = credit_limit::candidates(db, Among::After(after, SLICE), day, policy.currency)?;
        more = slice.len() == usize::try_from(SLICE).unwrap_or(usize::MAX);
        let view = View::new(db, policy, thresholds.as_ref(), &slice, day)?;
        for of in &slice {
            after = of.key;
            found.customers = found.customers.saturating_add(1);
            let limits = view.limits(of);
            let Some(wanted) = view.proposed(of, &limits) else { continue };
            let counting = view.effective(&limits).zip(view.with(&limits, wanted));
            let Some((now, minor)) = counting else { continue };
            let one = |count: &mut u64, holds: bool| {
                *count = count.saturating_add(u64::from(holds));
            };
            one(&mut found.proposed, true);
            one(&mut found.first, now.is_none());
            one(&mut found.raised, now.is_some_and(|now| minor > now));
            one(&mut found.lowered, now.is_some_and(|now| minor < now));
            one(&mut found.below_outstanding, minor < of.bought.outstanding_minor);
            if now.is_some_and(|now| minor < now) {
                falls.push(LimitStep {
                    customer: of.id.clone(),
                    now_minor: now.filter(|now| *now != UNLIMITED),
                    proposed_minor: minor,
                    outstanding_minor: of.bought.outstanding_minor,
                });
            }
            let bound = |minor: i64| if minor == UNLIMITED { 0 } else { minor };
            found.now_minor = money::sum([found.now_minor, now.map_or(0, bound)])?;
            found.proposed_minor = money::sum([found.proposed_minor, bound(minor)])?;
        }
        // Nobody falls who has no limit.
        let fall =
            |of: &LimitStep| of.now_minor.unwrap_or(UNLIMITED).saturating_sub(of.proposed_minor);
        falls.sort_by(|a, b| (fall(b), &a.customer).cmp(&(fall(a), &b.customer)));
        falls.truncate(MAX_FALLS);
    }
    found.falls = falls;
    Ok(found)
}

/// Looks at a slice of the book after a customer and proposes limits, which wait for a key.
pub fn review<D: Db>(db: &D, after: i64, author: &Author) -> Result<LimitReview, Fault> {
    write(db, |db| {
        let PublishedPolicy { version, policy } = get(db)?;
        let day = Now::new(db, author.at)?.today;
        let slice = credit_limit::candidates(db, Among::After(after, SLICE), day, policy.currency)?;
        let full = slice.len() == usize::try_from(SLICE).unwrap_or(usize::MAX);
        let next = slice.last().filter(|_| full).map(|of| of.key.to_string());
        let view = View::new(db, &policy, policy.second_key_from.as_ref(), &slice, day)?;
        let wanted = view.reviewed(&slice, version)?;
        let proposed = propose(db, wanted, day, LimitSource::Review, author)?;
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
    let Some((version, policy)) = credit_limit::policy(db)? else { return Ok((0, false)) };
    let day = Now::new(db, author.at)?.today;
    let keys = table::without_proposal(db, day, DUE)?;
    if keys.is_empty() {
        return Ok((0, false));
    }
    let found = credit_limit::candidates(db, Among::These(&keys), day, policy.currency)?;
    let view = View::new(db, &policy, policy.second_key_from.as_ref(), &found, day)?;
    let proposed = propose(db, view.reviewed(&found, version)?, day, LimitSource::Review, author)?;
    table::proposed(db, &keys)?;
    Ok((proposed, keys.len() == usize::try_from(DUE).unwrap_or(usize::MAX)))
}

/// Proposes a cut for whoever's grade worsened, or has a grave alert, since yesterday, once for each day of alerts. What is
/// waiting keeps no cut back, but for one that is as low.
pub(crate) fn cut_after_alerts<D: Db>(db: &D, author: &Author) -> Result<u64, Fault> {
    write(db, |db| {
        let Some((version, policy)) = credit_limit::policy(db)? else { return Ok(0) };
        let now = Now::new(db, author.at)?;
        let worsened = alert::worsened_since(db, now.today.plus_days(-1)?)?;
        if worsened.is_empty() {
            return Ok(0);
        }
        let keys: Vec<i64> = worsened.iter().map(|(key, _, _)| *key).collect();
        let found = credit_limit::candidates(db, Among::These(&keys), now.today, policy.currency)?;
        let by_key: BTreeMap<i64, (Date, bool)> =
            worsened.into_iter().map(|(key, on, grave)| (key, (on, grave == 1))).collect();
        let mut asked = Vec::new();
        for of in &found {
            let Some((on, is_grave)) = by_key.get(&of.key).copied() else { continue };
            let why = if is_grave { "grave" } else { LimitSource::Alert.name() };
            asked.push((proposed_id(&of.id, on, why)?, of, (on, is_grave)));
        }
        let ids: Vec<Id> = asked.iter().map(|(id, ..)| id.clone()).collect();
        let known: BTreeSet<Id> = credit_limit::known(db, &ids)?.into_iter().collect();
        asked.retain(|(id, ..)| !known.contains(id));
        let view = View::new(db, &policy, policy.second_key_from.as_ref(), &found, now.today)?;
        let mut wanted = Vec::new();
        for (id, of, (on, is_grave)) in asked {
            if matches!(of.status, CustomerStatus::Suspended | CustomerStatus::Closed) {
                continue;
            }
            let Some((line, to)) = view.cuts(of) else { continue };
            let Some(amount) = view.lower(of, &line, is_grave) else { continue };
            let grounds = view.grounds(of, version, Some((on, is_grave)));
            wanted.push(Proposal { id, customer: of.key, amount, to, is_other: true, grounds });
        }
        propose(db, wanted, now.today, LimitSource::Alert, author)
    })
}

/// Whether a limit is more than a zero that gives way to another.
fn counts(line: &LimitLine) -> bool {
    line.unlimited || line.minor > 0 || line.mandatory
}

/// A limit of nothing that takes the place of another is none of the group's either.
fn is_mandatory(is_other: bool, minor: i64) -> bool {
    is_other && minor == 0
}

/// Records proposals, all under one entry.
fn propose<D: Db>(
    db: &D,
    wanted: Vec<Proposal>,
    day: Date,
    source: LimitSource,
    author: &Author,
) -> Result<u64, Fault> {
    let language = organisation::get(db)?.language;
    let row = |of: Proposal| {
        let limit = NewLimit {
            minor: Some(of.amount.minor),
            currency: of.amount.currency,
            from: Some(day),
            to: of.to,
            kind: Some(LimitKind::Individual),
            unlimited: Some(false),
            mandatory: Some(is_mandatory(of.is_other, of.amount.minor)),
            reason: Some(words::proposed(&of.grounds, language)),
        };
        (of.id, of.customer, limit)
    };
    let rows: Vec<(Id, i64, NewLimit)> = wanted.into_iter().map(row).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<&Id> = rows.iter().map(|(id, _, _)| id).collect();
    let what = Note::changed("propose", "limit_policy", source.name(), None::<&Id>, Some(&ids))?;
    let entry = note(db, author, &what)?;
    credit_limit::insert(db, &rows, (LimitState::Pending, source), &author.who, entry)
}
