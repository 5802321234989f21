//! `/v1/score/alert-rules`: what warnings are raised by, and what they would have said.

use dunlin_app::{alert_rule, backtest, ledger};
use dunlin_domain::{
    Id, Refusal,
    contract::{
        keys::Scope,
        warn::{AlertRule, AlertRulePage, Backtest, NewAlertRule, NewBacktest},
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Query, Route, page};

const VERSION: Query =
    Query::whole("version", 1, 1_000_000, "The version. Absent: the one in force.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/alert-rules", "list_alert_rules")
            .about("Lists the rules of warnings in force by name, those that ship among them.")
            .scope(Scope::ScoreRead)
            .pages()
            .answers::<AlertRulePage>()
            .run(list),
        Route::get("/v1/score/alert-rules/{name}", "get_alert_rule")
            .about("Gives a rule of warnings as it is in force, or a version of it.")
            .scope(Scope::ScoreRead)
            .query(&[VERSION])
            .answers::<AlertRule>()
            .run(get),
        Route::put("/v1/score/alert-rules/{name}", "put_alert_rule")
            .about("Writes a rule of warnings. Other content than before makes a new version, which is in force at once.")
            .scope(Scope::ScoreWrite)
            .takes::<NewAlertRule>()
            .answers::<AlertRule>()
            .run(put),
        Route::delete("/v1/score/alert-rules/{name}", "disable_alert_rule")
            .about("Puts a rule of warnings out of use. Its alerts close when their customers are judged next.")
            .scope(Scope::ScoreWrite)
            .answers::<AlertRule>()
            .run(disable),
        Route::post("/v1/score/alert-rules/{name}/backtest", "backtest_alert_rule")
            .about("Tries a rule of warnings on past days: how many alerts, how long before a default, how many without one. Nothing is kept.")
            .scope(Scope::ScoreRead)
            .takes::<NewBacktest>()
            .answers::<Backtest>()
            .run(tried),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after) = (call.limit()?, call.cursor::<String>()?.unwrap_or_default());
    let mut found = alert_rule::in_force(call.db()?)?;
    found.retain(|rule| rule.name > after);
    let (items, next) = page::cut(found, limit, |rule| rule.name.clone())?;
    Answer::json(&AlertRulePage { items, next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name: Id = call.path("name")?;
    let version = call.whole(&VERSION)?;
    Answer::json(&alert_rule::get_version(call.db()?, name.as_str(), version)?)
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (name, new) = (call.path::<Id>("name")?, call.body::<NewAlertRule>()?);
    let (rule, change) = alert_rule::put(call.db()?, name.as_str(), &new, &call.author())?;
    Ok(Answer::json(&rule)?.outcome(change))
}

fn disable<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let name: Id = call.path("name")?;
    let (rule, change) = alert_rule::disable(call.db()?, name.as_str(), &call.author())?;
    Ok(Answer::json(&rule)?.outcome(change))
}

fn tried<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (name, new) = (call.path::<Id>("name")?, call.body::<NewBacktest>()?);
    let refused =
        |_| Problem::new(Refusal::MalformedField, "this was not answered here").at("after");
    let after = new.after.as_deref().map(page::decode).transpose().map_err(refused)?;
    let after = after.unwrap_or_default();
    let today = ledger::today(call.db()?, call.now())?;
    let (found, next) = backtest::run(call.db()?, name.as_str(), &new, after, today)?;
    Answer::json(&Backtest { next: next.as_ref().map(page::encode).transpose()?, ..found })
}
