//! A scorer that looks at days beyond terms alone: 100 for who pays on the day, 2 points less for each day later.
//!
//! It shows what a plug-in has to keep: a card for each entry of the batch, in the same order; the same facts give the
//! same card; no state between calls; and a batch that is too long is refused whole.

// The bindings are the generator's.
#[allow(unsafe_code, clippy::all, clippy::pedantic)]
mod contract {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "example:scorer/days-late",
        generate_all,
    });
    use super::Scorer;
    export!(Scorer);
}

use contract::dunlin::credit::{
    score::{FactName, Facts, Indicator, Reason, ScoreCard},
    types::{Grade, Language},
};
use contract::exports::dunlin::credit::scorer::{Error, Guest};

/// The longest batch: as many as the contract lets a caller send.
const MAX_BATCH: usize = 5_000;

/// Points less for each day late.
const POINTS_A_DAY: f64 = 2.0;

struct Scorer;

impl Guest for Scorer {
    fn score_batch(batch: Vec<Facts>, language: Language) -> Result<Vec<ScoreCard>, Error> {
        if batch.len() > MAX_BATCH {
            return Err(Error::BatchTooLarge);
        }
        Ok(batch.into_iter().map(|facts| card(facts, language)).collect())
    }
}

fn card(facts: Facts, language: Language) -> ScoreCard {
    let known = facts.values.iter().find(|fact| fact.name == FactName::DaysBeyondTerms12m);
    // What is not known is neither good nor bad.
    let days = known.and_then(|fact| fact.value.parse::<f64>().ok());
    let score = days.map(|days| (100.0 - POINTS_A_DAY * days.max(0.0)).max(0.0));
    let lost = score.filter(|score| *score < 100.0).map(|score| 100.0 - score);
    let points = |of: f64| format!("{of:.1}");
    let reasons = days.zip(lost).map(|(days, lost)| Reason {
        code: "pays-beyond-terms".into(),
        text: match language {
            Language::En => format!("Paid {days} days beyond terms on average."),
            Language::ZhCn => format!("平均超过账期 {days} 天付款。"),
        },
        points: Some(points(lost)),
    });
    ScoreCard {
        customer_id: facts.customer_id.clone(),
        as_of: facts.as_of,
        score: score.map(points),
        grade: score.map(grade),
        notch: score.map(|_| 1),
        model: "days-late@1".into(),
        reasons: reasons.into_iter().collect(),
        indicators: vec![Indicator {
            name: "days-beyond-terms".into(),
            value: known.map(|fact| fact.value.clone()),
            points: score.map(points),
            max_points: "100".into(),
        }],
        improvements: Vec::new(),
        facts,
    }
}

fn grade(score: f64) -> Grade {
    match score {
        90.0.. => Grade::A,
        70.0.. => Grade::B,
        50.0.. => Grade::C,
        25.0.. => Grade::D,
        _ => Grade::E,
    }
}
