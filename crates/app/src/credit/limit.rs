//! Limits: a ledger of what was asked for, what counts, and since when.

use super::{Asked, Now, Then, position_then, rates, rates_of};
use crate::{
    audit::{Author, Note, note},
    ledger::{Change, missing},
    score::made_id,
};
use dunlin_domain::{
    Currency, Date, Id, Instant, Refusal, Refused,
    contract::{
        credit::{
            ApprovalThreshold, DecisionOutcome, Limit, LimitKind, LimitOutcome, LimitOutcomes,
            LimitSource, LimitStanding, LimitState, NewLimit,
        },
        types::Language,
    },
    credit::{
        approval::{self, Standing},
        check::{self, Position},
        limit::{self, Entry},
        rates::Rates,
    },
};
use dunlin_store::{
    Db, Fault,
    credit_limit::{self, Among, Candidate, NewRow},
    customer, score, write,
};
use serde_json::json;

/// The most limits of a customer that wait and are looked through for the same request.
const LOOKED_THROUGH: u32 = 1_000;

/// The most limits that one request decides: two of the longest pages of what waits.
const MAX_DECIDED: usize = 1_000;

/// Limits that are decided in one transaction, so that others get their turn.
const SLICE: usize = 100;

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
        let position = super::position(db, customer_id, &now, (None, false))?;
        let head_id = position.head.as_ref().map(|head| &head.id);
        if new.kind == Some(LimitKind::Group) && head_id.is_some_and(|id| id != customer_id) {
            let detail = "the limit of a group is that of its head";
            return Err(Refused::new(Refusal::MalformedField, detail).at("kind").into());
        }
        let judged = Judged::new(db, &position, new.currency, now.today, &author.who)?;
        let asked = approval::entry(made, &new, now.today);
        let counting = limit::counting(&position.ledger, asked.kind, asked.from);
        let counting = counting.map(|entry| get(db, &entry.id)).transpose()?;
        let waits = judged.waits(&asked);
        let state = Some(LimitState::Pending);
        let waiting =
            credit_limit::list(db, i64::MAX, LOOKED_THROUGH, Some(customer_id), state, None)?;
        let waiting = waiting.into_iter().map(|(_, limit)| limit);
        let waiting: Vec<Limit> =
            waiting.filter(|of| of.kind == asked.kind && of.from == asked.from).collect();
        let is_asked = |of: &Limit| of.source == LimitSource::Key && as_written(of) == new;
        if counting.as_ref().is_some_and(|of| as_written(of) == new)
            || waits && waiting.iter().any(is_asked)
        {
            return Ok(Change::AlreadySo);
        }
        let counts = if waits { &[] } else { std::slice::from_ref(&asked) };
        judged.comparable(db, counts, true)?;
        let before = counting.or_else(|| waiting.into_iter().next());
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
            what = what.with_personal(&reasons, position.key)?;
        }
        let entry = note(db, author, &what)?;
        let rows = [(made.clone(), position.key, new)];
        credit_limit::insert(db, &rows, (state, LimitSource::Key), &author.who, entry)?;
        score::outdate(db, &[position.key])?;
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

/// What a change of the limits of a customer is judged by: where it stands, and the thresholds of the policy in force and of
/// those that the key itself replaced.
struct Judged<'a> {
    position: &'a Position,
    thresholds: Vec<Vec<ApprovalThreshold>>,
    rates: Rates,
    today: Date,
}

impl<'a> Judged<'a> {
    fn new<D: Db>(
        db: &D,
        position: &'a Position,
        currency: Currency,
        today: Date,
        who: &str,
    ) -> Result<Self, Fault> {
        let thresholds = credit_limit::thresholds_for(db, who)?;
        let head = position.head.as_ref().and_then(|head| head.limit);
        let records = [position.limit, head].into_iter().flatten();
        let ledger = position.ledger.iter().map(|entry| entry.currency);
        let currencies = records.map(|record| record.currency).chain(ledger).chain([currency]);
        let rates = rates_of(db, approval::pairs(&thresholds.concat(), currencies), today.into())?;
        Ok(Self { position, thresholds, rates, today })
    }

    fn standing(&self) -> Standing<'a> {
        Standing {
            ledger: &self.position.ledger,
            record: self.position.limit,
            head: self.position.head.as_ref().map(|head| head.limit),
        }
    }

    /// Whether a limit waits for a second key.
    fn waits(&self, new: &Entry) -> bool {
        let waits = |of: &Vec<ApprovalThreshold>| {
            approval::waits(of, self.standing(), new, self.today, &self.rates)
        };
        self.thresholds.iter().any(waits)
    }

    fn raises(&self, others: &[Entry]) -> bool {
        approval::raises(self.standing(), others, self.today, &self.rates)
    }

    /// Refuses what could not be compared: today also where that is so already, if an answer tells what counts.
    fn comparable<D: Db>(&self, db: &D, others: &[Entry], asked: bool) -> Result<(), Fault> {
        approval::comparable(self.standing(), (others, asked), self.today, &self.rates)?;
        let Some(group) = others.iter().find(|of| of.kind == LimitKind::Group) else {
            return Ok(());
        };
        let members = customer::group(db, self.position.key, self.today.into())?;
        let members =
            credit_limit::candidates(db, Among::These(&members), self.today, group.currency)?;
        let currencies = members.iter().flat_map(Candidate::currencies).chain([group.currency]);
        let rates = rates_of(db, approval::pairs(&[], currencies), self.today.into())?;
        for of in &members {
            let standing = Standing { ledger: of.ledger(), record: of.limit, head: of.head() };
            approval::comparable(standing, (others, false), self.today, &rates)?;
        }
        Ok(())
    }
}

/// Approves a limit that waits, or turns it down. The key that asked for it does not approve it, whatever the policy says
/// by now; that of a review or an alert approves below the thresholds. A cut that would raise something by now is none.
pub fn decide<D: Db>(
    db: &D,
    id: &Id,
    state: LimitState,
    author: &Author,
) -> Result<(Limit, Change), Fault> {
    write(db, |db| {
        let before = get(db, id)?;
        let merged = customer::merged_into(db, &[before.customer.as_str()])?;
        let change = settle(db, &before, state, merged.first().map(|(_, into)| into), author)?;
        if change == Change::AlreadySo {
            return Ok((before, change));
        }
        score::outdate(db, customer::key(db, &before.customer)?.as_slice())?;
        Ok((get(db, id)?, change))
    })
}

/// The same of many, in the order given: what is refused of one is said, and holds up no other.
pub fn decide_all<D: Db>(
    db: &D,
    ids: &[Id],
    state: LimitState,
    author: &Author,
) -> Result<LimitOutcomes, Fault> {
    if ids.len() > MAX_DECIDED {
        let detail = format!("one request decides at most {MAX_DECIDED} limits");
        return Err(Refused::new(Refusal::MalformedField, detail).at("ids").into());
    }
    let mut items = Vec::new();
    for slice in ids.chunks(SLICE) {
        items.extend(write(db, |db| decide_slice(db, slice, state, author))?);
    }
    Ok(LimitOutcomes { items })
}

fn decide_slice<D: Db>(
    db: &D,
    ids: &[Id],
    state: LimitState,
    author: &Author,
) -> Result<Vec<LimitOutcome>, Fault> {
    let most = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let found = credit_limit::list(db, i64::MAX, most, None, None, Some(ids))?;
    let whose: Vec<&str> = found.iter().map(|(_, limit)| limit.customer.as_str()).collect();
    let merged = customer::merged_into(db, &whose)?;
    let mut items: Vec<LimitOutcome> = Vec::new();
    let mut keys = Vec::new();
    for id in ids {
        let before = found.iter().find(|(_, limit)| limit.id == *id).map(|(_, limit)| limit);
        let is_twice =
            items.iter().any(|of| of.id == *id && of.outcome == DecisionOutcome::Changed);
        let result = match before {
            None => Err(missing("limit")),
            Some(_) if is_twice => Ok(Change::AlreadySo),
            Some(before) => {
                let into = merged.iter().find(|(gone, _)| *gone == before.customer);
                settle(db, before, state, into.map(|(_, into)| into), author)
            }
        };
        let (outcome, code, detail) = match result {
            Ok(Change::AlreadySo) => (DecisionOutcome::AlreadySo, None, None),
            Ok(_) => {
                if let Some(before) = before {
                    keys.extend(customer::key(db, &before.customer)?);
                }
                (DecisionOutcome::Changed, None, None)
            }
            Err(Fault::Refused(of)) => (DecisionOutcome::Refused, Some(of.code), Some(of.detail)),
            Err(fault) => return Err(fault),
        };
        items.push(LimitOutcome { id: id.clone(), outcome, code, detail });
    }
    score::outdate(db, &keys)?;
    Ok(items)
}

/// Decides about a limit as it was read in this transaction, whose customer may be merged into another. Where it refuses,
/// it has written nothing.
fn settle<D: Db>(
    db: &D,
    before: &Limit,
    state: LimitState,
    merged: Option<&Id>,
    author: &Author,
) -> Result<Change, Fault> {
    if before.state == state && before.decided_by.is_some() {
        return Ok(Change::AlreadySo);
    }
    if before.state != LimitState::Pending {
        let detail = format!("the limit is {}", before.state);
        return Err(Fault::refused(Refusal::WrongState, detail));
    }
    let mut ends = Vec::new();
    if state == LimitState::Approved {
        if let Some(into) = merged {
            return Err(crate::customer::merged(into).at("customer").into());
        }
        let now = Now::new(db, author.at)?;
        let position = super::position(db, &before.customer, &now, (None, false))?;
        let judged = Judged::new(db, &position, before.currency, now.today, &author.who)?;
        let asked = approval::entry(&before.id, &as_written(before), now.today);
        let waits = before.source == LimitSource::Key || judged.waits(&asked);
        let mut counts = vec![asked];
        if before.source == LimitSource::Alert {
            ends = cut_with(&judged, before)?;
            counts.extend(ends.iter().map(|(id, _, new)| approval::entry(id, new, now.today)));
            if judged.raises(&counts) {
                let detail = "less counts already than what this cut would leave";
                return Err(Fault::refused(Refusal::WrongState, detail));
            }
        }
        if before.asked_by == author.who && waits {
            let code = Refusal::SecondKeyNeeded;
            return Err(Fault::refused(code, code.about()));
        }
        judged.comparable(db, &counts, false)?;
    }
    let id = before.id.as_str();
    let what = Note::changed("decide", "credit_limit", id, Some(&before.state), Some(&state))?;
    let entry = note(db, author, &what)?;
    credit_limit::decide(db, &before.id, state, &author.who, entry)?;
    if !ends.is_empty() {
        let counts = (LimitState::Approved, LimitSource::Alert);
        credit_limit::insert(db, &ends, counts, &before.asked_by, entry)?;
    }
    Ok(Change::Replaced)
}

/// Temporary limits that come down with a cut, so that it is not waited for until they end, and limits that count after it,
/// so that they do not end it: each from the first day on which it would count. What is as low already stays, and so does
/// what cannot be compared for want of a rate.
fn cut_with(judged: &Judged<'_>, cut: &Limit) -> Result<Vec<NewRow>, Fault> {
    let (today, rates) = (judged.today, &judged.rates);
    let with = approval::entry(&cut.id, &as_written(cut), today);
    let ledger: Vec<Entry> = judged.position.ledger.iter().cloned().chain([with]).collect();
    let stays = |entry: &Entry| {
        let minor = rates.down(entry.minor, entry.currency, cut.currency);
        entry.unlimited == 0 && minor.map_or(true, |minor| minor <= cut.minor)
    };
    let mut rows = Vec::new();
    for kind in [LimitKind::Temporary, LimitKind::Individual] {
        let alike: Vec<Entry> = ledger.iter().filter(|of| of.kind == kind).cloned().collect();
        for (entry, from) in limit::first_days(&alike, today) {
            if stays(entry) {
                continue;
            }
            let id = made_id("L", &[cut.id.as_str(), entry.id.as_str()])?;
            let new =
                NewLimit { from: Some(from), to: entry.to, kind: Some(kind), ..as_written(cut) };
            rows.push((id, judged.position.key, new));
        }
    }
    Ok(rows)
}

/// A limit that was asked for.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<Limit, Fault> {
    let mut found =
        credit_limit::list(db, i64::MAX, 1, None, None, Some(std::slice::from_ref(id)))?;
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
        why: check::why(&position, &limits, decided, language.unwrap_or(now.language)),
        expired: limits.expired(),
        individual: limits.individual,
        group: limits.group,
        group_id: position.head.map(|head| head.id),
        effective,
        pending: credit_limit::waiting(db, id, then.when.known)?,
    })
}

/// The id of a limit that was proposed: the same for the same customer, day and reason.
pub(super) fn proposed_id(customer: &Id, day: Date, why: &str) -> Result<Id, Fault> {
    made_id("L", &[customer.as_str(), &day.to_string(), why])
}
