//! Checks: asked, kept, judged again.

pub use super::ready::{ToKeep, Told};
use super::{
    Asked, Basis, Now, Then, hold, inputs_then, kept, nothing, position_then, rates, ready,
    unknown_customer,
};
use crate::{
    audit::{Author, Note, note},
    ledger::{json, missing},
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    contract::{
        credit::{
            Application, CheckResult, CreditExposure, NewCheck, OnboardingResult, RuleKind,
            Utilisation, UtilisationPoint,
        },
        types::Language,
    },
    credit::{
        check::{self, Inputs, Judged, Position},
        exposure::condensed,
        onboarding, words,
    },
};
use dunlin_store::{Db, Fault, credit, customer, organisation, write, write_alone};
use std::collections::BTreeSet;

/// The most points of a series of utilisation: two months of days, or five years of months.
const MAX_POINTS: i64 = 62;

/// How many checks are filed in a transaction, for which those who ask wait.
const FILED: u32 = 2_000;

/// Files the checks that were kept since the last run under their customers.
pub fn file<D: Db>(db: &D) -> Result<(), Fault> {
    while write(db, |db| credit::file_checks(db, FILED))? {}
    Ok(())
}

/// Asks. The answer is kept with what it rested on, and a held order waits.
pub fn ask<D: Db>(
    db: &D,
    question: &NewCheck,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<CheckResult, Fault> {
    ask_told(db, question, made, language, author)?.whole()
}

/// The same, with components that were ready as they were kept.
pub fn ask_told<D: Db>(
    db: &D,
    question: &NewCheck,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<Told, Fault> {
    let to_keep = ToKeep { question, id: made, at: author.at };
    match ask_ready(db, &[to_keep])?.pop().flatten() {
        Some(told) => Ok(told),
        None => Ok(ask_alone(db, question, made, language, author)?.into()),
    }
}

/// Asks several at once, in one statement. Nothing: it is to be asked alone.
pub fn ask_ready<D: Db>(db: &D, asked: &[ToKeep<'_>]) -> Result<Vec<Option<Told>>, Fault> {
    ready::keep(db, asked)
}

/// Asks what is not ready.
pub fn ask_alone<D: Db>(
    db: &D,
    question: &NewCheck,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<CheckResult, Fault> {
    check::check(question)?;
    let (basis, judged) = judged(db, question, author.at)?;
    let keep = |db: &D, basis: &Basis, judged: &Judged, hold_id: Option<&Id>| {
        let (key, verdict) = (basis.inputs.position.key, (judged.verdict, hold_id));
        credit::insert_check(db, made, key, author.at, verdict, &basis.record()?)
    };
    // What one statement read is of one moment: without a hold to open or to end nobody has to wait for it.
    let (basis, judged, hold_id) = match hold::concerns(&basis, &judged) {
        false => {
            write_alone(db, |db| keep(db, &basis, &judged, None))?;
            (basis, judged, None)
        }
        true => write(db, |db| {
            let (basis, judged) = self::judged(db, question, author.at)?;
            let base_minor = check::base(&basis.inputs);
            let hold_id = hold::settle(db, &basis, &judged, (made, base_minor), author)?;
            keep(db, &basis, &judged, hold_id.as_ref())?;
            Ok((basis, judged, hold_id))
        })?,
    };
    let told = answer(db, &basis.inputs, &judged, language.unwrap_or(basis.language))?;
    Ok(CheckResult { id: Some(made.clone()), hold_id, ..told })
}

/// The answer, in which a forced hold that stands says why somebody placed it. That text is no part of what is kept: it
/// may be taken away.
pub(super) fn answer<D: Db>(
    db: &D,
    inputs: &Inputs,
    judged: &Judged,
    language: Language,
) -> Result<CheckResult, Fault> {
    let others: Vec<i64> = check::debtors(inputs, judged).into_iter().collect();
    let ids = customer::ids(db, &others)?.into_iter().collect();
    let mut told = check::answer(inputs, judged, &ids, language)?;
    let held = told.reasons.iter_mut().filter(|of| of.kind == RuleKind::PlacedHold);
    for reason in held {
        let mut hold = hold::get(db, &reason.value.parse()?)?;
        // It may wait for other rules by now.
        let placed = inputs.position.placed.iter().find(|of| of.id == hold.id);
        if let Some(rules) = placed.and_then(|of| of.rules.as_ref()) {
            hold.rules.clone_from(rules);
        }
        reason.detail = words::standing(&hold, language);
    }
    Ok(told)
}

/// Asks without leaving a trace: now, or as of a day with what was known.
pub fn simulate<D: Db>(
    db: &D,
    question: &NewCheck,
    asked: impl Into<Asked>,
    language: Option<Language>,
    at: Instant,
) -> Result<CheckResult, Fault> {
    simulate_told(db, question, asked, language, at)?.whole()
}

/// The same, with components that were ready as they were kept.
pub fn simulate_told<D: Db>(
    db: &D,
    question: &NewCheck,
    asked: impl Into<Asked>,
    language: Option<Language>,
    at: Instant,
) -> Result<Told, Fault> {
    let asked = asked.into();
    let ready = match asked.is_now() {
        true => simulate_ready(db, &[(question, at)])?.pop().flatten(),
        false => None,
    };
    match ready {
        Some(told) => Ok(told),
        None => Ok(simulate_alone(db, question, asked, language, at)?.into()),
    }
}

/// Asks several at once as things are now, in one statement. Nothing: it is to be asked alone.
pub fn simulate_ready<D: Db>(
    db: &D,
    asked: &[(&NewCheck, Instant)],
) -> Result<Vec<Option<Told>>, Fault> {
    ready::answers(db, asked)
}

/// Asks what is not ready.
pub fn simulate_alone<D: Db>(
    db: &D,
    question: &NewCheck,
    asked: Asked,
    language: Option<Language>,
    at: Instant,
) -> Result<CheckResult, Fault> {
    check::check(question)?;
    let (inputs, own) = match asked.is_now() {
        true => {
            let Basis { inputs, language, .. } = Basis::new(db, question, at)?;
            (inputs, language)
        }
        false => {
            let now = Now::new(db, at)?;
            (inputs_then(db, question, asked, &now)?, now.language)
        }
    };
    let judged = check::judge(&inputs)?;
    answer(db, &inputs, &judged, language.unwrap_or(own))
}

pub(super) fn judged<D: Db>(
    db: &D,
    question: &NewCheck,
    at: Instant,
) -> Result<(Basis, Judged), Fault> {
    let basis = Basis::new(db, question, at)?;
    let judged = check::judge(&basis.inputs)?;
    Ok((basis, judged))
}

/// The same of what a hold waits for: for more of the order than a part that was invoiced or cancelled. What was cancelled
/// since waits no more.
pub(super) fn judged_beyond<D: Db>(
    db: &D,
    question: &NewCheck,
    at: Instant,
    base_minor: i64,
) -> Result<(Basis, Judged), Fault> {
    let mut basis = Basis::new(db, question, at)?;
    basis.without_done(|_| base_minor);
    let judged = check::judge(&basis.inputs)?;
    Ok((basis, judged))
}

/// The same on top of all that was invoiced or cancelled of the order, with how much that is.
pub(super) fn judged_on_top<D: Db>(
    db: &D,
    question: &NewCheck,
    at: Instant,
) -> Result<(Basis, Judged, i64), Fault> {
    let mut basis = Basis::new(db, question, at)?;
    let base_minor = basis.without_done(|done| done);
    let judged = check::judge(&basis.inputs)?;
    Ok((basis, judged, base_minor))
}

/// A check that was asked, judged again from what it rested on.
pub fn get<D: Db>(db: &D, id: &Id, language: Option<Language>) -> Result<CheckResult, Fault> {
    let (text, hold_id) = credit::check(db, id)?.ok_or_else(|| missing("check"))?;
    if let Some(told) = ready::record(&text) {
        return Ok(CheckResult { id: Some(id.clone()), ..told });
    }
    let inputs = kept(&text)?;
    let judged = check::judge(&inputs)?;
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let told = answer(db, &inputs, &judged, language)?;
    Ok(CheckResult { id: Some(id.clone()), hold_id, ..told })
}

/// What may be granted to somebody new. Of whom is recorded the application is kept, under the id that was made for it.
pub fn onboarding<D: Db>(
    db: &D,
    of: &Application,
    made: &Id,
    language: Option<Language>,
    author: &Author,
) -> Result<OnboardingResult, Fault> {
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let told = onboarding::judge(of, language)?;
    let Some(customer) = &of.customer else { return Ok(told) };
    write(db, |db| {
        let found = customer::place(db, customer)?.ok_or_else(unknown_customer)?;
        if let Some((_, into)) = &found.merged {
            return Err(crate::customer::merged(into).at("customer").into());
        }
        let change = serde_json::json!({
            "application": of, "verdict": told.verdict, "limit": told.limit, "rule": told.rule,
        });
        let entry = note(db, author, &Note::made("application", made.as_str(), &change)?)?;
        let (verdict, question) = ((onboarding::RULE, told.verdict), json(of)?);
        let kept = (found.key, verdict, question.as_str());
        credit::insert_application(db, made, kept, author.at, entry)
    })?;
    Ok(OnboardingResult { id: Some(made.clone()), at: Some(author.at), ..told })
}

/// An application that was kept, judged again by its rule.
pub fn application<D: Db>(
    db: &D,
    id: &Id,
    language: Option<Language>,
) -> Result<OnboardingResult, Fault> {
    let (at, question) = credit::application(db, id)?.ok_or_else(|| missing("application"))?;
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let of: Application = serde_json::from_str(&question)
        .map_err(|e| Fault::Db(format!("an application that was kept: {e}")))?;
    let told = onboarding::judge(&of, language)?;
    Ok(OnboardingResult { id: Some(id.clone()), at: Some(at), ..told })
}

/// What a customer stands for at the end of a day, or now.
pub fn exposure<D: Db>(
    db: &D,
    id: &Id,
    asked: impl Into<Asked>,
    at: Instant,
) -> Result<CreditExposure, Fault> {
    on(db, id, asked.into(), &Now::new(db, at)?)
}

fn on<D: Db>(db: &D, id: &Id, asked: Asked, now: &Now) -> Result<CreditExposure, Fault> {
    let then = Then::new(db, asked, now)?;
    let position = position_then(db, id, &then, (None, false))?;
    let position = Position { pieces: condensed(position.pieces, None), ..position };
    let day = then.when.day;
    let question = nothing(&position, day)?;
    let rates = rates(db, &position, Some(question.amount), then.when)?;
    let others: BTreeSet<i64> = position.pieces.iter().map(|of| of.member).collect();
    let others: Vec<i64> = others.into_iter().filter(|key| *key != position.key).collect();
    let ids = customer::ids(db, &others)?.into_iter().collect();
    let inputs = Inputs { at: then.moment, day, question, position, rates, base_minor: 0 };
    Ok(check::exposure(&inputs, &ids)?)
}

/// How much was used at the end of each of some days: from a day to another, every so many.
pub fn utilisation<D: Db>(
    db: &D,
    id: &Id,
    (from, to): (Option<Date>, Option<Date>),
    every: u32,
    at: Instant,
) -> Result<Utilisation, Fault> {
    let now = Now::new(db, at)?;
    let to = to.unwrap_or(now.today);
    let every = i64::from(every.max(1));
    let from = match from {
        Some(from) => from,
        None => to.plus_days(every.saturating_mul(1 - MAX_POINTS / 2))?,
    };
    let days = to.days_since(from);
    if days < 0 || days / every >= MAX_POINTS {
        let detail = format!("`from` is not after `to`, and there are at most {MAX_POINTS} points");
        return Err(Refused::new(Refusal::MalformedParameter, detail).at("from").into());
    }
    let mut items = Vec::new();
    for step in 0..=days / every {
        let day = from.plus_days(step.saturating_mul(every))?;
        let exposure = on(db, id, Some(day).into(), &now)?;
        items.push(UtilisationPoint {
            day: exposure.as_of,
            currency: exposure.currency,
            total_minor: exposure.total_minor,
            group_minor: exposure.group_minor,
            limit_minor: exposure.limit.and_then(|limit| limit.minor),
            used: exposure.used,
        });
    }
    Ok(Utilisation { customer: id.clone(), items })
}
