//! Cards: a score from facts of behaviour by weighted indicators, as a document says, without a model to learn.
//!
//! Each indicator maps one fact, or the difference of two, on a share of its weight: by straight lines between anchors,
//! or by bands. A fact that is not known leaves its weight out, and what is known is scaled to 100: unknown is neither
//! good nor bad. Points are rounded to two decimals and the score as the document says, half away from zero, so that
//! the points shown account for the score: `score = 100 × Σ points / Σ max points of the known`. A fact that gets worse
//! never raises the score, because shares run one way.
//!
//! A card is judged by its document and the facts alone. Both are kept with every judgement, so that it can be made
//! again.

mod check;
mod shipped;

pub(crate) use check::{between, invalid};
pub use check::{check, slug};
pub use shipped::{SHIPPED, SHIPPED_VERSION, shipped};

use crate::decimal::Times as _;
use crate::{
    Decimal,
    contract::{
        score::{
            Anchor, CardDocument, Direction, FactName, Facts, Improvement, Indicator,
            IndicatorMove, IndicatorRule, Reason, ScoreCard,
        },
        scorer::{Error, Scorer},
        types::{Grade, Language},
    },
    decimal::{fixed, ratio, round},
    grade, reason,
};

/// The most facts in one batch: about 2 MB of them, well below what a component may hold.
pub const MAX_BATCH: usize = 5_000;

/// A reason is given when it took at least this many points out of 100 from what a blameless customer has, unless the
/// card says otherwise: less is not worth a sentence.
pub const REASON_FROM_POINTS: u32 = 2;

/// Decimals of a score, unless the card says otherwise.
pub const SCORE_DECIMALS: u32 = 1;

/// In how many parts a grade is cut, unless the card says otherwise.
pub const NOTCHES: u32 = 3;

/// The most that a utilisation can be, so that a limit of zero has a finite one.
pub const MAX_UTILISATION: u32 = 10;

/// How many indicators are named that would raise the score.
const IMPROVEMENTS: usize = 3;

/// The code of the reason that too little is known.
pub const THIN_FILE: &str = "thin-file";

/// Decimals of a fact that count. Facts come from SQL with four.
const FACT_DECIMALS: u32 = 4;

/// A card that can judge: its document, and the name and version that its judgements bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Such as `card@1`.
    pub model: String,
    /// What it says.
    pub document: CardDocument,
}

/// How a customer stands, without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// 0 to 100.
    pub score: Decimal,
    /// The class.
    pub grade: Grade,
    /// The part of the class, 1 the best.
    pub notch: u32,
}

impl Default for Card {
    /// The card that ships with Dunlin.
    fn default() -> Self {
        Self { model: model(SHIPPED, SHIPPED_VERSION), document: shipped() }
    }
}

/// How a card's judgements name it.
pub fn model(name: &str, version: u32) -> String {
    format!("{name}@{version}")
}

impl Scorer for Card {
    fn score_batch(&self, batch: &[Facts], language: Language) -> Result<Vec<ScoreCard>, Error> {
        if batch.len() > MAX_BATCH {
            return Err(Error::BatchTooLarge);
        }
        Ok(batch.iter().map(|facts| self.card(facts, language)).collect())
    }
}

impl Card {
    /// The score and grade alone, without texts: what a sweep stores. `None` while nothing has fallen due: what is owed
    /// in time, and how much of a limit it uses, say nothing of how somebody pays.
    pub fn judge(&self, facts: &Facts) -> Option<Standing> {
        self.standing(facts, &self.known(facts))
    }

    /// What each indicator of which something is known sees and gives.
    fn known(&self, facts: &Facts) -> Vec<Given<'_>> {
        self.document.indicators.iter().filter_map(|rule| Given::of(rule, facts)).collect()
    }

    fn standing(&self, facts: &Facts, known: &[Given<'_>]) -> Option<Standing> {
        let overdue = facts.get(FactName::OverdueShare).is_some_and(|share| share > Decimal::ZERO);
        if facts.get(FactName::DaysBeyondTerms12m).is_none() && !overdue {
            return None;
        }
        let (points, most) = sums(known)?;
        let document = &self.document;
        let score = out_of_100(points, most, document.decimals.unwrap_or(SCORE_DECIMALS))?;
        let (grade, notch) =
            grade::of(score, &document.grades, document.notches.unwrap_or(NOTCHES));
        Some(Standing { score, grade, notch })
    }

    /// The whole card of one customer.
    pub fn card(&self, facts: &Facts, language: Language) -> ScoreCard {
        let known = self.known(facts);
        let standing = self.standing(facts, &known);
        let mut given = known.iter().peekable();
        let rules = self.document.indicators.iter();
        let indicators =
            rules.map(|rule| indicator(rule, given.next_if(|of| std::ptr::eq(of.rule, rule))));
        ScoreCard {
            customer_id: facts.customer_id.clone(),
            as_of: facts.as_of,
            score: standing.map(|of| of.score),
            grade: standing.map(|of| of.grade),
            notch: standing.map(|of| of.notch),
            model: self.model.clone(),
            indicators: indicators.collect(),
            reasons: self.reasons_of(facts, &known, standing.is_some(), language),
            improvements: self.improvements(&known, standing, language),
            facts: facts.clone(),
        }
    }

    /// What holds the score down: most points first, a thin file last.
    pub fn reasons(&self, facts: &Facts, language: Language) -> Vec<Reason> {
        let known = self.known(facts);
        self.reasons_of(facts, &known, self.standing(facts, &known).is_some(), language)
    }

    fn reasons_of(
        &self,
        facts: &Facts,
        known: &[Given<'_>],
        judged: bool,
        language: Language,
    ) -> Vec<Reason> {
        let document = &self.document;
        let all = known.iter().fold(0u32, |sum, of| sum.saturating_add(of.rule.weight));
        let least = document.reason_from.unwrap_or(Decimal::from(REASON_FROM_POINTS));
        let lost = |most: Decimal, points: Decimal| {
            out_of_100(most.checked_sub(points)?, Decimal::from(all), SCORE_DECIMALS)
        };
        let mut reasons: Vec<Reason> = Vec::new();
        // Without a score there is nothing to hold down.
        for Given { rule, seen, points, max } in known.iter().filter(|_| judged) {
            let blameless = max.times(rule.blameless.unwrap_or(Decimal::ONE));
            let blame = blameless.and_then(|most| lost(most, *points));
            if blame.is_some_and(|blame| blame >= least && blame > Decimal::ZERO) {
                let text = reason::text(&rule.text, *seen, language);
                let points = lost(*max, *points);
                reasons.push(Reason { code: rule.reason.clone(), text, points });
            }
        }
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
        if items(facts) < Decimal::from(document.thin_below) {
            let text = reason::thin_file(items(facts), language);
            reasons.push(Reason { code: THIN_FILE.to_string(), text, points: None });
        }
        reasons
    }

    /// What would raise the score most: each known indicator without blame, the others as they are.
    fn improvements<'a>(
        &self,
        known: &[Given<'a>],
        standing: Option<Standing>,
        language: Language,
    ) -> Vec<Improvement> {
        let Some((standing, (all, most))) = standing.zip(sums(known)) else { return Vec::new() };
        let document = &self.document;
        let decimals = document.decimals.unwrap_or(SCORE_DECIMALS);
        let better = |of: &Given<'a>| {
            let blameless = of.max.times(of.rule.blameless.unwrap_or(Decimal::ONE))?;
            let gain = blameless.checked_sub(of.points).filter(|gain| *gain > Decimal::ZERO)?;
            let score = out_of_100(all.checked_add(gain)?, most, decimals)?;
            Some((score, of.rule)).filter(|(score, _)| *score > standing.score)
        };
        let mut found: Vec<(Decimal, &'a IndicatorRule)> =
            known.iter().filter_map(better).collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.truncate(IMPROVEMENTS);
        let told = |(score, rule): (Decimal, &IndicatorRule)| {
            let notches = document.notches.unwrap_or(NOTCHES);
            let (grade, _) = grade::of(score, &document.grades, notches);
            let text = reason::improvement(score, grade, language);
            Improvement { name: rule.name.clone(), fact: rule.fact, score, grade, text }
        };
        found.into_iter().map(told).collect()
    }

    /// What each indicator that is known gave, in the order of the card.
    pub fn points(&self, facts: &Facts) -> Vec<(&str, Decimal)> {
        self.known(facts).into_iter().map(|of| (of.rule.name.as_str(), of.points)).collect()
    }

    /// The indicators whose points are others than under `before`, the largest difference first.
    pub fn moved(
        &self,
        facts: &Facts,
        before: Option<(&Card, &Facts)>,
        language: Language,
    ) -> Vec<IndicatorMove> {
        let rules = &self.document.indicators;
        let old = before.map(|(card, _)| card.document.indicators.as_slice()).unwrap_or_default();
        let gone = old.iter().filter(|rule| rules.iter().all(|known| known.name != rule.name));
        let mut moves: Vec<(Decimal, IndicatorMove)> = Vec::new();
        for rule in rules.iter().chain(gone) {
            let now = rules.iter().find(|known| known.name == rule.name);
            let was = old.iter().find(|known| known.name == rule.name);
            let then = before.map(|(_, facts)| facts);
            let at = |rule: Option<&IndicatorRule>, facts: Option<&Facts>| {
                let (rule, facts) = rule.zip(facts)?;
                Given::of(rule, facts).map(|of| (of.seen.normalize(), of.points))
            };
            let (value_before, points_before) = at(was, then).unzip();
            let (value, points) = at(now, Some(facts)).unzip();
            if points == points_before {
                continue;
            }
            let difference =
                points.unwrap_or_default().checked_sub(points_before.unwrap_or_default());
            let (name, fact) = (rule.name.clone(), rule.fact);
            // Before the first judgement there was no card that could lack it.
            let is_new = was.is_none() && before.is_some();
            let text = reason::moved(
                now.map(|rule| (&rule.text, value)),
                was.map(|rule| (&rule.text, value_before)),
                is_new,
                [points, points_before],
                language,
            );
            let moved =
                IndicatorMove { name, fact, value_before, value, points_before, points, text };
            moves.push((difference.unwrap_or_default().abs(), moved));
        }
        moves.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
        moves.into_iter().map(|(_, moved)| moved).collect()
    }
}

/// What is outstanding over the limit, at four decimals and [`MAX_UTILISATION`] at most; with a limit of zero nothing
/// when nothing is owed and the most there is when something is.
pub fn utilisation(outstanding_minor: i64, limit_minor: i64) -> Decimal {
    let most = Decimal::from(MAX_UTILISATION);
    if outstanding_minor <= 0 {
        return Decimal::ZERO;
    }
    crate::decimal::share(outstanding_minor, limit_minor.max(0))
        .map_or(most, |share| share.min(most))
}

/// What an indicator sees: its fact, or the difference of its two.
pub fn seen(rule: &IndicatorRule, facts: &Facts) -> Option<Decimal> {
    let at_least = |value: Decimal| rule.floor.map_or(value, |floor| value.max(floor));
    let value = at_least(facts.get(rule.fact)?);
    let value = match rule.less {
        Some(less) => value.checked_sub(at_least(facts.get(less)?))?,
        None => value,
    };
    Some(round(value, FACT_DECIMALS))
}

/// How many items the judgement rests on.
fn items(facts: &Facts) -> Decimal {
    facts.get(FactName::Items12m).unwrap_or_default()
}

/// What an indicator sees, what it gives for that, and the most it can.
struct Given<'a> {
    rule: &'a IndicatorRule,
    seen: Decimal,
    points: Decimal,
    max: Decimal,
}

impl<'a> Given<'a> {
    /// `None` when what it looks at is not known.
    fn of(rule: &'a IndicatorRule, facts: &Facts) -> Option<Self> {
        let (seen, max) = (seen(rule, facts)?, Decimal::from(rule.weight));
        let share = match (&rule.anchors, &rule.bands) {
            (Some(anchors), _) => line(anchors, seen),
            (None, bands) => step(bands.as_deref().unwrap_or_default(), seen),
        };
        Some(Self { rule, seen, points: fixed(share.times(max)?, 2), max })
    }
}

/// All points that are given, and the most there can be of those that are known.
fn sums(known: &[Given<'_>]) -> Option<(Decimal, Decimal)> {
    known.iter().try_fold((Decimal::ZERO, Decimal::ZERO), |(points, most), of| {
        Some((points.checked_add(of.points)?, most.checked_add(of.max)?))
    })
}

fn indicator(rule: &IndicatorRule, given: Option<&Given<'_>>) -> Indicator {
    Indicator {
        name: rule.name.clone(),
        value: given.map(|of| of.seen.normalize()),
        points: given.map(|of| of.points),
        max_points: Decimal::from(rule.weight),
    }
}

/// So many points of `most`, out of 100. `None` when there were none to have.
fn out_of_100(points: Decimal, most: Decimal, decimals: u32) -> Option<Decimal> {
    let points = ratio(points.times(Decimal::ONE_HUNDRED)?, most, decimals);
    points.map(|points| fixed(points, decimals))
}

/// The straight line between anchors; flat beyond the ends.
fn line(anchors: &[Anchor], value: Decimal) -> Decimal {
    let at = |anchor: &Anchor| (anchor.at, anchor.share);
    let above = anchors.partition_point(|anchor| anchor.at < value);
    let right = anchors.get(above).or(anchors.last()).map(at);
    let left = above.checked_sub(1).and_then(|below| anchors.get(below)).map(at).or(right);
    let (Some((x0, y0)), Some((x1, y1))) = (left, right) else { return Decimal::ZERO };
    let between = || {
        let run = value.checked_sub(x0)?.times(y1.checked_sub(y0)?)?;
        y0.checked_add(run.checked_div(x1.checked_sub(x0)?)?)
    };
    if x0 == x1 { y1 } else { between().unwrap_or(y1) }
}

/// The band that a value lies in; the first reaches down without an end.
fn step(bands: &[Anchor], value: Decimal) -> Decimal {
    let above = bands.partition_point(|band| band.at <= value);
    let band = above.checked_sub(1).and_then(|at| bands.get(at)).or(bands.first());
    band.map_or(Decimal::ZERO, |band| band.share)
}

/// Whether a share may follow another along a scale.
fn runs_on(direction: Direction, share: Decimal, next: Decimal) -> bool {
    match direction {
        Direction::LowerIsBetter => next <= share,
        Direction::HigherIsBetter => next >= share,
    }
}

#[cfg(test)]
mod tests;
