//! Cards: drafts, versions, which of them judges whom, and what one would say.

use crate::{
    audit::{Author, Note, note},
    ledger::{self, Change},
    score,
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    card::{self, Card, SHIPPED, SHIPPED_VERSION, model},
    contract::{
        score::{
            self as contract, CardDocument, CardPublication, CardState, Facts, ScoreCard, WhatIf,
        },
        types::Language,
    },
    facts,
};
use dunlin_store::{Db, Fault, When, card as table, sweep, write};
use std::collections::{BTreeMap, BTreeSet};

/// Whose facts are asked about when they are nobody's.
const NOBODY: &str = "what-if";

/// The cards in force on a day.
#[derive(Debug)]
pub(crate) struct Cards {
    everybody: Card,
    by_segment: BTreeMap<String, Card>,
}

impl Cards {
    /// Reads them.
    pub fn in_force<D: Db>(db: &D, when: impl Into<When>) -> Result<Self, Fault> {
        let mut cards = Self { everybody: Card::default(), by_segment: BTreeMap::new() };
        for (segment, name, version, document) in table::in_force(db, when.into())? {
            let card = Card { model: model(&name, version), document };
            match segment {
                Some(segment) => drop(cards.by_segment.insert(segment, card)),
                None => cards.everybody = card,
            }
        }
        Ok(cards)
    }

    /// The card that judges customers of this segment.
    pub fn of(&self, segment: Option<&str>) -> &Card {
        segment.and_then(|segment| self.by_segment.get(segment)).unwrap_or(&self.everybody)
    }
}

/// The card that made a judgement. `None` when no card did.
pub(crate) fn of_model<D: Db>(db: &D, made_by: &str) -> Result<Option<Card>, Fault> {
    let Some((name, version)) = made_by.rsplit_once('@') else { return Ok(None) };
    let Ok(version) = version.parse::<u32>() else { return Ok(None) };
    let found = stored(db, name, Some(version))?;
    Ok(found.map(|found| Card { model: made_by.to_string(), document: found.document }))
}

/// A version of a card, or its draft or else its newest version.
pub fn get<D: Db>(db: &D, name: &Id, version: Option<u32>) -> Result<contract::Card, Fault> {
    stored(db, name.as_str(), version)?
        .ok_or_else(|| Fault::refused(Refusal::NotFound, "no card has this name and version"))
}

fn stored<D: Db>(
    db: &D,
    name: &str,
    version: Option<u32>,
) -> Result<Option<contract::Card>, Fault> {
    let found = match version {
        Some(version) => table::version(db, name, version)?,
        None => table::newest(db, name)?,
    };
    let ships = name == SHIPPED && version.is_none_or(|version| version == SHIPPED_VERSION);
    Ok(found.or_else(|| ships.then(shipped)))
}

/// The card that ships with Dunlin, as if it had been published on the first day there is.
fn shipped() -> contract::Card {
    contract::Card {
        name: SHIPPED.into(),
        state: CardState::Published,
        version: Some(SHIPPED_VERSION),
        valid_from: Some(Date::FIRST),
        document: card::shipped(),
    }
}

/// Cards that were written, by name.
pub fn page<D: Db>(
    db: &D,
    after: &table::After,
    limit: u32,
) -> Result<Vec<(contract::Card, table::After)>, Fault> {
    table::page(db, after, limit, None)
}

/// Writes the draft of a name. A draft that says what the newest version says is none.
pub fn put<D: Db>(db: &D, name: &Id, new: &CardDocument, author: &Author) -> Result<Change, Fault> {
    card::slug(name.as_str(), "name")?;
    card::check(new)?;
    write(db, |db| {
        let before = stored(db, name.as_str(), None)?;
        if before.as_ref().is_some_and(|before| before.document == *new) {
            return Ok(Change::AlreadySo);
        }
        let old = before.as_ref().map(|before| &before.document);
        let action = if old.is_some() { "replace" } else { "create" };
        let change = Note::changed(action, "card", name.as_str(), old, Some(new))?;
        let entry = note(db, author, &change)?;
        table::put_draft(db, name.as_str(), new, entry)?;
        Ok(if old.is_some() { Change::Replaced } else { Change::Made })
    })
}

/// Makes the draft of a name its next version, which judges from a day that no sweep has come to.
pub fn publish<D: Db>(
    db: &D,
    name: &Id,
    new: &CardPublication,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| {
        let before = get(db, name, None)?;
        if before.state == CardState::Published {
            if new.valid_from.is_none_or(|from| before.valid_from == Some(from)) {
                return Ok(Change::AlreadySo);
            }
            let detail = "it is published and has no draft: write one first";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let today = ledger::today(db, author.at)?;
        let swept = sweep::latest(db)?.map(|state| state.day);
        let next = swept.map_or(Ok(today), |day| day.plus_days(1))?;
        let from = new.valid_from.unwrap_or(next.max(today));
        if swept.is_some_and(|day| from <= day) {
            let detail = format!("customers were judged up to {}", next.plus_days(-1)?);
            return Err(Refused::new(Refusal::DateAlreadySwept, detail).at("valid_from").into());
        }
        let ships = if name.as_str() == SHIPPED { SHIPPED_VERSION } else { 0 };
        let version = table::last_version(db, name.as_str())?.max(ships).saturating_add(1);
        let after = contract::Card {
            state: CardState::Published,
            version: Some(version),
            valid_from: Some(from),
            ..before.clone()
        };
        let change = Note::changed("publish", "card", name.as_str(), None::<&()>, Some(&after))?;
        let entry = note(db, author, &change)?;
        table::publish(db, name.as_str(), version, from, entry)?;
        Ok(Change::Replaced)
    })
}

/// How a card would read, were something otherwise. Nothing is stored.
pub fn what_if<D: Db>(
    db: &D,
    asked: &WhatIf,
    now: Instant,
    language: Language,
) -> Result<ScoreCard, Fault> {
    let day = asked.as_of.map_or_else(|| ledger::today(db, now), Ok)?;
    let (mut facts, segment) = match &asked.customer_id {
        Some(id) => score::known(db, id, day.into())?,
        None => (Facts::none(&NOBODY.parse()?, day), None),
    };
    for name in asked.unknown.iter().flatten() {
        facts.set(*name, None);
    }
    let mut given = BTreeSet::new();
    for (at, fact) in asked.facts.iter().flatten().enumerate() {
        let (least, most) = facts::possible(fact.name);
        if !(least..=most).contains(&fact.value) {
            let detail = format!("`{}` is between {least} and {most}", fact.name);
            let field = format!("facts[{at}].value");
            return Err(Refused::new(Refusal::MalformedField, detail).at(&field).into());
        }
        if facts::is_whole(fact.name) && !fact.value.fract().is_zero() {
            let detail = format!("`{}` is a whole number", fact.name);
            let field = format!("facts[{at}].value");
            return Err(Refused::new(Refusal::MalformedField, detail).at(&field).into());
        }
        if asked.unknown.iter().flatten().any(|name| *name == fact.name) || !given.insert(fact.name)
        {
            let detail = format!("`{}` is asked about twice", fact.name);
            let field = format!("facts[{at}].name");
            return Err(Refused::new(Refusal::MalformedField, detail).at(&field).into());
        }
        facts.set(fact.name, Some(fact.value));
    }
    let unknown = asked.unknown.iter().flatten();
    facts::with_its_trend(&mut facts, &given.into_iter().chain(unknown.copied()).collect());
    Ok(judging(db, asked, day, segment.as_deref())?.card(&facts, language))
}

/// The card that a question wants to judge.
fn judging<D: Db>(db: &D, asked: &WhatIf, day: Date, segment: Option<&str>) -> Result<Card, Fault> {
    match (&asked.document, &asked.card) {
        (Some(_), Some(_)) => {
            let detail = "a question names a card or brings one, not both";
            Err(Refused::new(Refusal::InvalidCard, detail).at("card").into())
        }
        (Some(document), None) => {
            card::check(document).map_err(|refused| refused.within("document"))?;
            Ok(Card { model: NOBODY.into(), document: document.clone() })
        }
        (None, Some(named)) => {
            let unknown = || {
                Refused::new(Refusal::InvalidCard, "no card has this name and version").at("card")
            };
            if let Some(card) = of_model(db, named)? {
                return Ok(card);
            }
            let found = stored(db, named, None)?.ok_or_else(unknown)?;
            let model = found.version.map_or(found.name.clone(), |of| model(&found.name, of));
            Ok(Card { model, document: found.document })
        }
        (None, None) => Ok(Cards::in_force(db, day)?.of(segment).clone()),
    }
}
