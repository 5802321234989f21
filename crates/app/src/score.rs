//! Scores and grades: for one customer on any day, and for a range of customers in a sweep.

use crate::{
    card::Cards,
    facts as behaviour,
    ledger::{json, missing},
};
use dunlin_domain::arrange::mapped;
use dunlin_domain::decimal::Times as _;
use dunlin_domain::{
    Date, Decimal, Id, Instant, Refusal, Refused,
    card::{Card, NOTCHES, SHIPPED, SHIPPED_VERSION, model},
    contract::{
        score::{Fact, Facts, Judgement, Migration, ScoreCard, ScoreChange, ScoreLine},
        types::Language,
    },
    tier::{self, Described},
};
use dunlin_store::{Db, Fault, When, arrears::Range, customer, score};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The customer's card on the day, from what was true on it and known then. With all that is recorded, what the day's
/// sweep found is read where nothing was recorded since, and worked out anew where something was.
pub fn card<D: Db>(
    db: &D,
    id: &Id,
    when: impl Into<When>,
    language: Language,
) -> Result<ScoreCard, Fault> {
    let when = when.into();
    if when.knows_all()
        && let Some((card, facts)) = fresh(db, id, when.day)?
    {
        return Ok(card.card(&facts, language));
    }
    let (facts, segment) = known(db, id, when)?;
    Ok(Cards::in_force(db, when)?.of(segment.as_deref()).card(&facts, language))
}

/// The card and the facts by which the day's sweep judged the customer, unless something was recorded since.
fn fresh<D: Db>(db: &D, id: &Id, day: Date) -> Result<Option<(Card, Facts)>, Fault> {
    let shipped = model(SHIPPED, SHIPPED_VERSION);
    let Some((model, facts, document)) = score::fresh(db, id, day, &shipped)? else {
        return Ok(None);
    };
    let document = document.unwrap_or_else(dunlin_domain::card::shipped);
    Ok(Some((Card { model, document }, named(id, day, facts))))
}

/// Facts as they are stored, with whose they are.
fn named(id: &Id, day: Date, facts: score::ByName) -> Facts {
    let values = facts.into_iter().map(|(name, value)| Fact { name, value }).collect();
    Facts { customer_id: id.clone(), as_of: day, values, group: None }
}

/// What was known of the customer's behaviour on the day.
pub fn facts<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<Facts, Fault> {
    Ok(known(db, id, when.into())?.0)
}

/// The same, and the segment that the customer was in.
pub(crate) fn known<D: Db>(db: &D, id: &Id, when: When) -> Result<(Facts, Option<String>), Fault> {
    let (key, found) = customer::then(db, id, when)?.ok_or_else(|| missing("customer"))?;
    let range = Range { after: key.saturating_sub(1), upto: key };
    let mut known = behaviour::of_range(db, range, when)?;
    let sums = known.take(key).unwrap_or_default();
    Ok((known.facts((key, &found.id), &sums), found.segment))
}

/// The judgements of the last sweep that are wanted, lowest score first.
pub fn lines<D: Db>(
    db: &D,
    wanted: score::Wanted<'_>,
    after: score::After,
    limit: u32,
) -> Result<Vec<(ScoreLine, score::After)>, Fault> {
    if wanted.least.zip(wanted.most).is_some_and(|(least, most)| most < least) {
        let detail = "it lies below `min_score`";
        return Err(Refused::new(Refusal::MalformedParameter, detail).at("max_score").into());
    }
    score::page(db, wanted, after, limit)
}

/// The customer's judgements before a day that were otherwise than those before them, newest first, with what moved
/// from the one to the other.
pub fn history<D: Db>(
    db: &D,
    id: &Id,
    before: &str,
    limit: u32,
    language: Language,
) -> Result<Vec<ScoreChange>, Fault> {
    let key = customer::key(db, id)?.ok_or_else(|| missing("customer"))?;
    // One more, to tell the last of the page from.
    let rows = score::history(db, key, before, limit.saturating_add(1))?;
    let mut cards: HashMap<String, Option<Card>> = HashMap::new();
    for (_, _, _, _, _, model, ..) in &rows {
        if !cards.contains_key(model) {
            cards.insert(model.clone(), crate::card::of_model(db, model)?);
        }
    }
    let judged: Vec<_> = rows
        .into_iter()
        .map(|(as_of, score, grade, notch, tier, model, facts, at, tiers)| {
            let card = cards.get(&model).and_then(Option::as_ref);
            (card, named(id, as_of, facts), (score, grade, notch, tier, model, at, tiers))
        })
        .collect();
    let mut changes = Vec::new();
    for (at, (card, facts, now)) in judged.iter().enumerate() {
        let former = judged.get(at.saturating_add(1));
        let beside = former.and_then(|(card, facts, _)| Some(((*card)?, facts)));
        let (score, grade, notch, tier, model, judged_at, tier_version) = now.clone();
        changes.push(ScoreChange {
            as_of: facts.as_of,
            score,
            grade,
            notch,
            tier,
            tier_version,
            model,
            judged_at,
            score_before: former.and_then(|(_, _, of)| of.0),
            grade_before: former.and_then(|(_, _, of)| of.1),
            moved: card.map(|card| card.moved(facts, beside, language)).unwrap_or_default(),
            reasons: card.map(|card| card.reasons(facts, language)).unwrap_or_default(),
        });
    }
    changes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(changes)
}

/// The judgement that held on a day: what it was, on which facts and by which card, and what each indicator of that gave.
/// Facts and card are those that were kept, whatever was recorded since.
pub fn judgement<D: Db>(
    db: &D,
    id: &Id,
    day: Date,
    language: Language,
) -> Result<Judgement, Fault> {
    let key = customer::key(db, id)?.ok_or_else(|| missing("customer"))?;
    let before = day.plus_days(1).map_or_else(|_| END.to_string(), |next| next.to_string());
    let found = score::history(db, key, &before, 1)?.pop().ok_or_else(|| missing("judgement"))?;
    let (as_of, score, grade, notch, tier, model, facts, judged_at, tier_version) = found;
    let card = crate::card::of_model(db, &model)?;
    let facts = named(id, as_of, facts);
    let shown = card.map(|card| card.card(&facts, language));
    let (reasons, indicators, improvements) =
        shown.map(|of| (of.reasons, of.indicators, of.improvements)).unwrap_or_default();
    Ok(Judgement {
        customer_id: id.clone(),
        as_of,
        judged_at,
        score,
        grade,
        notch,
        tier,
        tier_version,
        model,
        reasons,
        indicators,
        improvements,
        facts,
    })
}

/// After every day.
const END: &str = "9999-12-32";

/// How grades moved between two days.
pub fn migration<D: Db>(db: &D, since: Date, until: Date) -> Result<Migration, Fault> {
    if until < since {
        let detail = "it lies before `from`";
        return Err(Refused::new(Refusal::MalformedParameter, detail).at("to").into());
    }
    Ok(Migration { since, until, cells: score::migration(db, since, until)? })
}

/// Judges the customers of the range and says how many. Runs inside a slice of the sweep.
pub(crate) fn judge<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    warned_on: Option<Date>,
    at: Instant,
) -> Result<u64, Fault> {
    let mut known = behaviour::of_range(db, range, day)?;
    let (cards, (tiers, version)) = (Cards::in_force(db, day)?, dunlin_store::tier::current(db)?);
    let (mut judged, mut gone, mut reviews) = (Vec::new(), Vec::new(), Vec::new());
    for (key, id, segment, industry, before) in score::to_judge(db, range)? {
        // Who was never asked to pay anything cannot be judged, and whose documents are all gone is not any more.
        let sums = known.take(key).unwrap_or_default();
        let asked = sums.known.first_on.is_some();
        if !asked && before.is_none() {
            continue;
        }
        let facts = known.facts((key, &id), &sums);
        let card = cards.of(segment.as_deref());
        let standing = card.judge(&facts).filter(|_| asked);
        let grade = standing.map(|of| of.grade);
        let who = Described { segment: segment.as_deref(), industry: industry.as_deref(), grade };
        let tier = tier::of(&tiers, &facts, who).filter(|_| asked).map(str::to_string);
        let decided = (standing.map(|of| of.score), grade, tier, card.model.clone());
        let changed = before.as_ref() != Some(&decided);
        if changed {
            reviews.push((key, grade.and_then(|grade| crate::review::months(card, grade))));
        }
        gone.extend((!asked).then_some(key));
        judged.push(score::Judged {
            customer: key,
            decided,
            notch: standing.map(|of| of.notch),
            notches: card.document.notches.unwrap_or(NOTCHES),
            order: order(standing.map(|of| of.score)),
            facts: by_name(facts.values.iter().map(|fact| (fact.name.name(), fact.value)))?,
            changed: changed.then(|| by_name(card.points(&facts).into_iter())).transpose()?,
        });
    }
    score::store(db, &judged, day, warned_on, (at, version))?;
    score::forget(db, &gone)?;
    score::up_to_date(db, range)?;
    crate::review::schedule(db, &reviews, day)?;
    Ok(u64::try_from(judged.len()).unwrap_or(0))
}

/// Numbers by name, as they are stored.
fn by_name<'a>(values: impl Iterator<Item = (&'a str, Decimal)>) -> Result<String, Fault> {
    json(&mapped(values))
}

/// The place of a score among all.
fn order(score: Option<Decimal>) -> i64 {
    let tenths = score.and_then(|score| score.times(Decimal::TEN));
    tenths.and_then(|tenths| i64::try_from(tenths).ok()).unwrap_or(score::UNSCORED)
}

/// An id made of what it names: a letter and 128 bits of the SHA-256 of the parts.
pub(crate) fn made_id(letter: &str, parts: &[&str]) -> Result<Id, Fault> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(0).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{letter}-{hex}").parse()?)
}
