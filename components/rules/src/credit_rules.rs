//! `/v1/score/rules`: what a check looks at.

use dunlin_app::credit::rule;
use dunlin_domain::{
    Id,
    contract::{
        credit::{NewRule, Rule, RulePage},
        keys::Scope,
    },
};
use dunlin_store::Db;
use dunlin_web::{Answer, Call, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::put("/v1/score/rules/{name}", "put_credit_rule")
            .about("Sets a rule that checks look at, or an exclusion, in place of the one of its name.")
            .scope(Scope::ScoreAdmin)
            .takes::<NewRule>()
            .answers::<Rule>()
            .run(put),
        Route::delete("/v1/score/rules/{name}", "end_credit_rule")
            .about("Takes a rule back: it holds no more from today on. One that ships and gave way to it stands again.")
            .scope(Scope::ScoreAdmin)
            .answers::<Rule>()
            .run(end),
        Route::get("/v1/score/rules/{name}", "get_credit_rule")
            .about("Gives a rule as it stands.")
            .scope(Scope::ScoreRead)
            .answers::<Rule>()
            .run(|call| Answer::json(&rule::get(call.db()?, &call.path("name")?)?)),
        Route::get("/v1/score/rules", "list_credit_rules")
            .about("Lists rules as they were written last: those that ship with Dunlin and stand today, then the others by name.")
            .scope(Scope::ScoreRead)
            .pages()
            .answers::<RulePage>()
            .run(list),
    ]
}

fn put<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let new: NewRule = call.body()?;
    let (rule, change) = rule::put(call.db()?, &call.path("name")?, &new, &call.author())?;
    Ok(Answer::json(&rule)?.outcome(change))
}

fn end<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (rule, change) = rule::end(call.db()?, &call.path("name")?, &call.author())?;
    Ok(Answer::json(&rule)?.outcome(change))
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after): (_, Option<Id>) = (call.limit()?, call.cursor()?);
    let mut items = rule::list(call.db()?, after.as_ref(), limit.saturating_add(1), call.now())?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let stored = items.iter().filter(|rule| rule.version > 0).count();
    let more = stored > most;
    if more {
        items.pop();
    }
    let next = items.last().filter(|_| more).map(|rule| dunlin_web::page::encode(&rule.name));
    Answer::json(&RulePage { items, next: next.transpose()? })
}
