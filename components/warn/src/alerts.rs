//! `/v1/score/alerts`: warnings, and what is done about them.

use crate::LANGUAGE;
use dunlin_app::{
    alert::{self, Wish},
    sweep::Tick,
    warn,
};
use dunlin_domain::{
    Id, Refusal,
    contract::{
        keys::Scope,
        sweep::Progress,
        warn::{
            AlertAssign, AlertClose, AlertDetail, AlertKind, AlertPage, AlertSnooze, AlertState,
            Judged, Severity,
        },
    },
};
use dunlin_store::{Db, alert::Filter};
use dunlin_web::{AS_OF, Answer, Call, Problem, Query, Route, page};

const STATE: Query =
    Query::one_of("state", AlertState::NAMES, "Only alerts in this state on the day. Absent: all.");
const CUSTOMER: Query = Query::id("customer_id", "Only this customer's. Absent: everybody's.");
const SEVERITY: Query = Query::one_of(
    "severity",
    Severity::NAMES,
    "Only alerts that were so grave on the day. Absent: all.",
);
const OWNER: Query =
    Query::text("owner", 100, "Only alerts that were this owner's on the day. Absent: all.");
const RULE: Query = Query::text("rule", 64, "Only alerts of the rule of this name. Absent: all.");
const KIND: Query =
    Query::one_of("kind", AlertKind::NAMES, "Only alerts of this kind. Absent: all.");

const TICK: Query = Query::id("owner", "The tick of the sweep, which holds its lease.");
const BUDGET: Query = Query::whole("budget_ms", 1, 20_000, "How long to work. Absent: 15000.");

/// As long as a tick of the sweep.
const BUDGET_MILLIS: u32 = 15_000;

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/score/alerts", "list_alerts")
            .about("Lists warnings, newest first, as they stood on the day: what, why, and what to do.")
            .scope(Scope::ScoreRead)
            .query(&[STATE, CUSTOMER, SEVERITY, OWNER, RULE, KIND, AS_OF, LANGUAGE])
            .pages()
            .answers::<AlertPage>()
            .run(list),
        Route::get("/v1/score/alerts/{id}", "get_alert")
            .about("Gives a warning as it stood on the day, with everything that was done about it.")
            .scope(Scope::ScoreRead)
            .query(&[AS_OF, LANGUAGE])
            .answers::<AlertDetail>()
            .run(get),
        Route::post("/v1/score/alerts/{id}/snooze", "snooze_alert")
            .about("Puts a warning off until a day.")
            .scope(Scope::ScoreWrite)
            .takes::<AlertSnooze>()
            .answers::<AlertDetail>()
            .run(snooze),
        Route::post("/v1/score/alerts/{id}/close", "close_alert")
            .about("Closes a warning. It does not come back before its reason has gone.")
            .scope(Scope::ScoreWrite)
            .takes::<AlertClose>()
            .answers::<AlertDetail>()
            .run(close),
        Route::post("/v1/score/alerts/{id}/assign", "assign_alert")
            .about("Gives a warning to somebody. It is not escalated any more.")
            .scope(Scope::ScoreWrite)
            .takes::<AlertAssign>()
            .answers::<AlertDetail>()
            .run(assign),
        Route::post("/v1/score/alerts/judge", "judge_alerts")
            .about("Judges the customers to whom something happened since the last call, between sweeps. Call again until `done`.")
            .scope(Scope::ScoreWrite)
            .answers::<Judged>()
            .run(judge),
        Route::post("/v1/score/alerts/sweep", "sweep_alerts")
            .about("Does the stage `warn` of a sweep that is under way; the sweep calls it.")
            .scope(Scope::SweepWrite)
            .query(&[TICK.required(), AS_OF.required(), BUDGET])
            .answers::<Progress>()
            .run(sweep),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let customer: Option<Id> = call.query(&CUSTOMER)?;
    let filter = Filter {
        state: call.query(&STATE)?,
        customer: customer.as_ref(),
        severity: call.query(&SEVERITY)?,
        owner: call.text(&OWNER)?,
        rule: call.text(&RULE)?,
        kind: call.query(&KIND)?,
        day: call.day()?,
    };
    let (limit, before) =
        (call.limit()?, call.cursor()?.unwrap_or_else(dunlin_store::notice::last));
    let found = alert::alerts(
        call.db()?,
        &before,
        limit.saturating_add(1),
        filter,
        call.query(&LANGUAGE)?,
    )?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    Answer::json(&AlertPage { items: items.into_iter().map(|(alert, _)| alert).collect(), next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let found = alert::detail(call.db()?, &call.id()?, call.day()?, call.query(&LANGUAGE)?)?;
    if call.as_of()?.is_some_and(|day| day < found.alert.opened_on) {
        return Err(Problem::new(Refusal::NotFound, "no alert of this id on that day"));
    }
    Answer::json(&found)
}

fn snooze<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let wish = Wish::Snooze(call.body()?);
    act(call, &wish)
}

fn close<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let wish = Wish::Close(call.body()?);
    act(call, &wish)
}

fn assign<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let wish = Wish::Assign(call.body()?);
    act(call, &wish)
}

fn act<D: Db>(call: &Call<'_, D>, wish: &Wish) -> Result<Answer, Problem> {
    let (db, id) = (call.db()?, call.id()?);
    let change = alert::act(db, &id, wish, &call.author())?;
    let today = dunlin_app::ledger::today(db, call.now())?;
    Ok(Answer::json(&alert::detail(db, &id, today, None)?)?.outcome(change))
}

/// For as long as the budget lasts, and one slice at the least.
fn sweep<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let budget = call.whole(&BUDGET)?.unwrap_or(BUDGET_MILLIS);
    let until = call.env().unix_millis().saturating_add(budget.into());
    let (Some(owner), Some(day)) = (call.query(&TICK)?, call.as_of()?) else {
        return Err(Problem::new(Refusal::MissingParameter, Refusal::MissingParameter.about()));
    };
    let db = call.db()?;
    let mut tick = Tick::of_owner(db, day, owner)?;
    while tick.warn(db, call.env().now())? && call.env().unix_millis() < until {}
    Answer::json(&tick.progress())
}

fn judge<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&warn::run(call.db()?, call.now())?)
}
