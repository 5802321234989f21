//! The component `sweep`: the work of a business date, in ticks.

use dunlin_app::{
    remind::Handed,
    sweep::{self, Step, Tick},
};
use dunlin_domain::{
    Refusal,
    contract::{keys::Scope, sweep::Progress},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Problem, Query, Route, Running, env::Post, webhook};

const BUDGET: Query =
    Query::whole("budget_ms", 1, 20_000, "How long the tick may work. Absent: 15000.");

/// Where the component `warn` does its stage. The host sends it to this application itself.
const WARN: &str = "http://self/v1/score/alerts/sweep";

/// Below the time that schedulers and edge hosts give a request.
const BUDGET_MILLIS: u32 = 15_000;

/// The table of contents.
pub fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/sweep", "run_sweep")
            .about("Does the next part of a business date's work. Call again until `done`; then it changes nothing.")
            .scope(Scope::SweepWrite)
            .query(&[AS_OF, BUDGET])
            .answers::<Progress>()
            .run_async(|call| Box::pin(run(call)) as Running<'_>),
        Route::get("/v1/sweep", "get_sweep")
            .about("Says where the newest sweep stands.")
            .scope(Scope::SweepWrite)
            .answers::<Progress>()
            .run(get),
    ]
}

async fn run<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    call.no_body()?;
    let budget = call.whole(&BUDGET)?.unwrap_or(BUDGET_MILLIS);
    let until = call.env().unix_millis().saturating_add(budget.into());
    let mut tick = Tick::begin(call.db()?, call.as_of()?, call.new_id()?, call.now())?;
    let worked = work(call, &mut tick, until).await;
    // The lease goes back also when the work failed: the next tick resumes at the cursor.
    let progress = tick.end(call.db()?)?;
    worked?;
    Answer::json(&progress)
}

async fn work<D: Db>(call: &Call<'_, D>, tick: &mut Tick, until: u64) -> Result<(), Problem> {
    loop {
        match tick.step_apart(call.db()?, call.env().now())? {
            None => {
                warn(call, tick, until).await?;
                tick.look(call.db()?)?;
            }
            Some(Step::Done) => return Ok(()),
            Some(Step::More) => {}
            Some(Step::Deliver) => {
                let (handed, done) = hand_over(call, until).await?;
                tick.delivered(call.db()?, handed, done, call.env().now())?;
            }
        }
        if call.env().unix_millis() >= until {
            return Ok(());
        }
    }
}

/// The component `warn` does its stage for as long as this tick has, with the caller's key and this tick's lease. A tick
/// that gives up here leaves the stage where it is, for the next one.
async fn warn<D: Db>(call: &Call<'_, D>, tick: &Tick, until: u64) -> Result<(), Problem> {
    let (owner, day) = tick.held();
    let left = until.saturating_sub(call.env().unix_millis()).max(1);
    let url = format!("{WARN}?owner={owner}&as_of={day}&budget_ms={left}");
    let key = call.header("authorization").unwrap_or_default().to_string();
    let headers = vec![("authorization", key)];
    let failed = |why: String| Problem::new(Refusal::Internal, format!("the stage `warn`: {why}"));
    match call.env().post(Post { url, headers, body: String::new() }).await {
        Ok(200) => Ok(()),
        Ok(409) => Err(Problem::new(Refusal::SweepRunning, "another tick took the lease")),
        Ok(503) => Err(Problem::new(Refusal::DatabaseBusy, Refusal::DatabaseBusy.about())),
        Ok(status) => Err(failed(format!("the component answered {status}"))),
        Err(why) => Err(failed(why)),
    }
}

/// A channel that is not set up as it should be keeps its notices queued, and `run_deliveries` says why; the rest of
/// the day's work does not wait for it.
async fn hand_over<D: Db>(call: &Call<'_, D>, until: u64) -> Result<(Handed, bool), Problem> {
    match webhook::deliver_until(call, until).await {
        Err(problem) if problem.code() == Refusal::NotConfigured => Ok((Handed::default(), true)),
        other => other,
    }
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&sweep::latest(call.db()?)?)
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    use dunlin_web::webhook::{SECRET, URL};
    dunlin_web::spin::serve_calling("sweep", routes, &[URL, SECRET], request).await
}
