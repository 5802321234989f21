//! `/v1/score/customers`: scores and grades.

use crate::{LANGUAGE, language};
use dunlin_app::{ledger, score};
use dunlin_domain::{
    Date,
    contract::{
        keys::Scope,
        score::{Facts, Judgement, Migration, ScoreCard, ScoreHistory, ScorePage},
        types::Grade,
    },
    zone,
};
use dunlin_store::{Db, When, score::Wanted};
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, page};

const FROM: Query = Query::date("from", "The first day.").required();
const TO: Query = Query::date("to", "The second day, not before it.").required();
const GRADE: Query = Query::one_of("grade", Grade::NAMES, "Only this grade. Absent: all.");
const MIN_SCORE: Query =
    Query::whole("min_score", 0, 100, "Only scores of so much and more. Absent: all.");
const MAX_SCORE: Query =
    Query::whole("max_score", 0, 100, "Only scores of so much and less. Absent: all.");
const TIER: Query = Query::text("tier", 64, "Only customers of this tier. Absent: all.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/customers/{id}", "get_score")
            .about("Gives a customer's score on the day with its grade, its reasons, every indicator and every fact.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF, KNOWN_AT, LANGUAGE])
            .answers::<ScoreCard>()
            .run(get),
        Route::get("/v1/score/customers/{id}/facts", "get_facts")
            .about("Gives what is known of a customer's behaviour on the day: every fact by name.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<Facts>()
            .run(facts),
        Route::get("/v1/score/customers/{id}/history", "get_score_history")
            .about("Gives the customer's judgements that were otherwise than those before, newest first: what moved, and why.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .pages()
            .answers::<ScoreHistory>()
            .run(history),
        Route::get("/v1/score/customers/{id}/history/{as_of}", "get_judgement")
            .about("Gives the judgement that held on a day with what it rests on, as it was made and kept.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .answers::<Judgement>()
            .run(judgement),
        Route::get("/v1/score/migration", "get_migration")
            .about("Gives how many customers went from which grade to which between two days, and what they owed.")
            .scope(Scope::ScoreRead)
            .query(&[FROM, TO])
            .answers::<Migration>()
            .run(migration),
        Route::get("/v1/score/customers", "list_scores")
            .about("Lists the scores of the last sweep, lowest first.")
            .scope(Scope::ScoreRead)
            .query(&[GRADE, MIN_SCORE, MAX_SCORE, TIER])
            .pages()
            .answers::<ScorePage>()
            .run(list),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    // Day and language are asked for in one statement: this is the read that order desks wait for.
    let (asked, spoken) = (call.as_of()?, call.query(&LANGUAGE)?);
    let (day, language) = match asked.zip(spoken) {
        Some(both) => both,
        None => {
            let organisation = ledger::organisation(call.db()?)?;
            let today = || zone::day_in(call.now(), &organisation.time_zone);
            (asked.map_or_else(today, Ok)?, spoken.unwrap_or(organisation.language))
        }
    };
    let when = When { day, known: call.known()? };
    Answer::json(&score::card(call.db()?, &call.id()?, when, language)?)
}

fn history<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let limit = call.limit()?;
    let before: Date = call.cursor()?.unwrap_or(Date::LAST);
    let (more, language) = (limit.saturating_add(1), language(call)?);
    let found = score::history(call.db()?, &call.id()?, &before.to_string(), more, language)?;
    let (items, next) = page::cut(found, limit, |change| change.as_of)?;
    Answer::json(&ScoreHistory { items, next })
}

fn judgement<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (day, language) = (call.path::<Date>("as_of")?, language(call)?);
    Answer::json(&score::judgement(call.db()?, &call.id()?, day, language)?)
}

fn migration<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let day = |parameter| {
        let missing = || Problem::internal("a required parameter is not there");
        call.query(parameter)?.ok_or_else(missing)
    };
    Answer::json(&score::migration(call.db()?, day(&FROM)?, day(&TO)?)?)
}

fn facts<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&score::facts(call.db()?, &call.id()?, call.when()?)?)
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor()?.unwrap_or((-1, 0)));
    let wanted = Wanted {
        grade: call.query(&GRADE)?,
        tier: call.text(&TIER)?,
        least: call.whole(&MIN_SCORE)?,
        most: call.whole(&MAX_SCORE)?,
    };
    let found = score::lines(call.db()?, wanted, after, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |(_, place)| *place)?;
    Answer::json(&ScorePage { items: items.into_iter().map(|(line, _)| line).collect(), next })
}
