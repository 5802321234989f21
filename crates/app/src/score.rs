//! Scores, grades and alerts: for one customer on any day, and for a range of customers in a sweep.

use crate::ledger::missing;
use dunlin_domain::{
    Date, Decimal, Id, Instant, Money,
    alert::{self, Finding},
    card::Card,
    contract::{
        events::EventData,
        score::{Alert, Facts, ScoreCard, ScoreLine},
        scorer::{Error, Scorer},
        types::Language,
    },
    facts::combine,
};
use dunlin_store::{
    Db, Fault, alert as alerts, arrears, arrears::Range, customer, event, facts as ledger,
    organisation, score,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// The customer's card on the day, from what was true on it.
pub fn card<D: Db>(db: &D, id: &Id, day: Date, language: Language) -> Result<ScoreCard, Fault> {
    let facts = facts(db, id, day)?;
    let mut cards = Card.score_batch(&[facts], language).map_err(scorer_failed)?;
    cards.pop().ok_or_else(|| Fault::Db("the scorer gave no card".into()))
}

/// What is known of the customer's behaviour on the day.
pub fn facts<D: Db>(db: &D, id: &Id, day: Date) -> Result<Facts, Fault> {
    let (key, found) = customer::then(db, id, day.into())?.ok_or_else(|| missing("customer"))?;
    let range = Range { after: key.saturating_sub(1), upto: key };
    let sums = ledger::of_range(db, range, day)?.remove(&key).unwrap_or_default();
    Ok(combine(&found.id, day, &sums, found.credit_limit))
}

fn scorer_failed(error: Error) -> Fault {
    Fault::Db(format!("the scorer failed: {error:?}"))
}

/// The judgements of the last sweep, lowest score first.
pub fn lines<D: Db>(
    db: &D,
    after: score::After,
    limit: u32,
) -> Result<Vec<(ScoreLine, score::After)>, Fault> {
    score::page(db, after, limit)
}

/// Scores the customers of the range and says how many cards were made. Runs inside a slice of the sweep.
pub(crate) fn judge<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    warned_on: Option<Date>,
) -> Result<u64, Fault> {
    let mut sums = ledger::of_range(db, range, day)?;
    let (mut keys, mut batch) = (Vec::new(), Vec::new());
    for (key, id, limit) in customer::limits(db, range)? {
        // Who was never asked to pay anything cannot be judged.
        let Some(sums) = sums.remove(&key).filter(|of| of.known.first_on.is_some()) else {
            continue;
        };
        keys.push(key);
        batch.push(combine(&id, day, &sums, limit));
    }
    let cards = Card.score_batch(&batch, Language::En).map_err(scorer_failed)?;
    let rows = keys
        .iter()
        .zip(&cards)
        .map(|(key, card)| row(*key, card))
        .collect::<Result<Vec<_>, Fault>>()?;
    score::upsert_all(db, &rows, day, warned_on)?;
    Ok(u64::try_from(rows.len()).unwrap_or(0))
}

/// The facts are stored by name, without the customer and the day, which have columns of their own.
fn row(key: i64, card: &ScoreCard) -> Result<score::Judged, Fault> {
    let facts: BTreeMap<&str, Decimal> =
        card.facts.values.iter().map(|fact| (fact.name.name(), fact.value)).collect();
    let facts = serde_json::to_string(&facts).map_err(|e| Fault::Db(e.to_string()))?;
    let tenths = |score: Decimal| {
        score.checked_mul(Decimal::TEN).and_then(|tenths| i64::try_from(tenths).ok())
    };
    let order = card.score.and_then(tenths).unwrap_or(score::UNSCORED);
    Ok((key, card.score, order, card.grade, card.model.clone(), facts))
}

/// What all customers owe, by currency: outstanding, and how many owe.
pub(crate) type Book = HashMap<dunlin_domain::Currency, (i64, u32)>;

/// Reads the book that concentration is measured against.
pub(crate) fn book<D: Db>(db: &D) -> Result<Book, Fault> {
    Ok(arrears::book(db)?
        .into_iter()
        .map(|(currency, minor, owing)| (currency, (minor, owing)))
        .collect())
}

/// Opens and closes the alerts of the range and says how many of each. Runs inside a slice of the sweep.
pub(crate) fn warn<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    warned_on: Option<Date>,
    book: &Book,
    at: Instant,
) -> Result<(u64, u64), Fault> {
    let mut owed: HashMap<i64, Vec<arrears::Owed>> = HashMap::new();
    for row in arrears::of_range(db, range, day)? {
        owed.entry(row.0).or_default().push(row);
    }
    let mut open: HashMap<i64, Vec<Finding>> = HashMap::new();
    for (customer, finding) in alerts::open_of_range(db, range)? {
        open.entry(customer).or_default().push(finding);
    }
    let (mut opening, mut closing, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for (key, id, limit, limit_currency, grade_now, grade_before) in
        alerts::positions(db, range, day)?
    {
        let owed = owed.remove(&key).unwrap_or_default();
        let position = alert::Position {
            overdue_before: owed
                .iter()
                .any(|of| of.5.is_some_and(|since| Some(since) <= warned_on)),
            grade_before,
            grade_now,
            limit: limit.zip(limit_currency).map(|(minor, currency)| Money { minor, currency }),
            owed: owed.iter().map(|of| beside(of, book)).collect(),
        };
        if let (Some(before), Some(now)) = (grade_before, grade_now)
            && before != now
        {
            let data = EventData {
                state: Some(now.name().into()),
                before: Some(before.name().into()),
                ..crate::event::nothing()
            };
            events.push(("grade.changed", key, id.clone(), data));
        }
        let change = alert::judge(&position, &open.remove(&key).unwrap_or_default());
        opening.extend(
            change.to_open.into_iter().map(|finding| (alert_id(&id, &finding, day), key, finding)),
        );
        closing.extend(change.to_close.into_iter().map(|alert| (key, alert)));
    }
    let opening = opening.into_iter().map(|(id, key, finding)| Ok((id?, key, finding)));
    let opening = opening.collect::<Result<Vec<_>, Fault>>()?;
    let opened = opening.iter().map(|(id, key, finding)| {
        let state = Some(finding.kind.name().into());
        ("alert.opened", *key, id.clone(), EventData { state, ..crate::event::nothing() })
    });
    events.extend(opened);
    event::add_all(db, &events, at)?;
    alerts::close_all(db, &closing, day, at)?;
    alerts::open_all(db, &opening, day)?;
    let count = |len| u64::try_from(len).unwrap_or(0);
    Ok((count(opening.len()), count(closing.len())))
}

fn beside(of: &arrears::Owed, book: &Book) -> alert::Owed {
    let (book_minor, book_customers) = book.get(&of.1).copied().unwrap_or((0, 0));
    alert::Owed {
        currency: of.1,
        outstanding_minor: of.2,
        overdue_minor: of.3,
        book_minor,
        book_customers,
    }
}

/// The same alert has the same id, so that a sweep that is cut and resumed ends in the same state.
fn alert_id(customer: &Id, finding: &Finding, day: Date) -> Result<Id, Fault> {
    let currency = finding.currency.map_or(String::new(), |currency| currency.to_string());
    made_id("A", &[customer.as_str(), finding.kind.name(), &currency, &day.to_string()])
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

/// Alerts, newest first, with their texts in a language.
pub fn alerts<D: Db>(
    db: &D,
    before: &alerts::Before,
    limit: u32,
    filter: alerts::Filter<'_>,
    language: Option<Language>,
) -> Result<Vec<(Alert, alerts::Before)>, Fault> {
    let language = language.map_or_else(|| organisation::get(db).map(|of| of.language), Ok)?;
    let found = alerts::page(db, before, limit, filter)?;
    let alert = |(of, before): (alerts::Found, alerts::Before)| {
        let text = alert::text(&of.finding, language);
        let alert = Alert {
            id: of.id,
            customer_id: of.customer_id,
            kind: of.finding.kind,
            state: of.state,
            opened_on: of.opened_on,
            closed_on: of.closed_on,
            currency: of.finding.currency,
            text,
            evidence: of.finding.evidence,
        };
        (alert, before)
    };
    Ok(found.into_iter().map(alert).collect())
}
