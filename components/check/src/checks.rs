//! `/v1/score/checks`: may this go out?

use crate::{LANGUAGE, asked};
use dunlin_app::credit::check::{self, ToKeep, Told};
use dunlin_domain::{
    Id, Instant, Refusal,
    contract::{
        credit::{Application, CheckPage, CheckResult, NewCheck, OnboardingResult, Verdict},
        keys::Scope,
        types::Language,
    },
};
use dunlin_store::{Db, credit};
use dunlin_web::{
    AS_OF, Answer, Call, KNOWN_AT, Problem, Query, Route, Running,
    gather::{Gathered, together},
    page,
};
use std::rc::Rc;

const SIMULATE: Query =
    Query::flag("simulate", "Whether to judge without keeping the check or holding the order.");

const CUSTOMER: Query = Query::id("customer", "Only this customer's. Absent: everybody's.");
const VERDICT: Query =
    Query::one_of("verdict", Verdict::NAMES, "Only checks with this outcome. Absent: all.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::post("/v1/score/checks", "create_check")
            .about("Says whether an order, a delivery, an invoice or a contract may go out, and why not. Without simulate=true it needs the scope score-write.")
            .scope(Scope::ScoreRead)
            .query(&[SIMULATE, AS_OF, KNOWN_AT, LANGUAGE])
            .takes::<NewCheck>()
            .answers::<CheckResult>()
            .run_async(|call| Box::pin(ask(call)) as Running<'_>),
        Route::get("/v1/score/checks", "list_checks")
            .about("Lists checks that were kept, newest first: who was asked about, for how much, and the outcome.")
            .scope(Scope::ScoreRead)
            .query(&[CUSTOMER, VERDICT])
            .pages()
            .answers::<CheckPage>()
            .run(list),
        Route::post("/v1/score/checks/onboarding", "check_application")
            .about("Says what may be granted to somebody new, from an application. With customer it is kept, which needs the scope score-write.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .takes::<Application>()
            .answers::<OnboardingResult>()
            .run(onboarding),
        Route::get("/v1/score/checks/onboarding/{id}", "get_application")
            .about("Judges an application that was kept again.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .answers::<OnboardingResult>()
            .run(application),
        Route::get("/v1/score/checks/{id}", "get_check")
            .about("Judges a check again from what it rested on when it was asked.")
            .scope(Scope::ScoreRead)
            .query(&[LANGUAGE])
            .answers::<CheckResult>()
            .run(get),
    ]
}

/// A check that is kept: what is asked, the id that was made for it, and when.
type Kept = (Rc<NewCheck>, Id, Instant);

thread_local! {
    static KEPT: Gathered<Kept, Told> = const { Gathered::new() };
    static SIMULATED: Gathered<(Rc<NewCheck>, Instant), Told> = const { Gathered::new() };
}

async fn ask<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let simulated = call.flag(&SIMULATE)?;
    if !simulated {
        call.needs(Scope::ScoreWrite)?;
    }
    let (question, language): (NewCheck, _) = (call.body()?, call.query(&LANGUAGE)?);
    let question = Rc::new(question);
    let told = match simulated {
        true => simulate(call, question, language).await?,
        false if call.text(&AS_OF)?.or(call.text(&KNOWN_AT)?).is_some() => {
            let detail = "a check is asked of a past moment with simulate=true alone";
            let field = if call.text(&AS_OF)?.is_some() { "as_of" } else { "known_at" };
            return Err(Problem::new(Refusal::MalformedParameter, detail).at(field));
        }
        false => keep(call, question, language).await?,
    };
    let answer = Answer::json(&told.result)?;
    Ok(match &told.exposure {
        Some(exposure) => answer.with_list("exposure", exposure),
        None => answer,
    })
}

async fn keep<D: Db>(
    call: &Call<'_, D>,
    question: Rc<NewCheck>,
    language: Option<Language>,
) -> Result<Told, Problem> {
    let (db, id, author) = (call.db()?, call.new_id()?, call.author());
    let all = |all: &[&Kept]| {
        let asked = all.iter().map(|(question, id, at)| ToKeep { question, id, at: *at });
        check::ask_ready(db, &asked.collect::<Vec<_>>())
    };
    let asked = (question.clone(), id.clone(), author.at);
    Ok(match together(&KEPT, call.env().lull(), asked, all).await {
        Some(told) => told,
        None => {
            check::ask_alone(call.db_after_others()?, &question, &id, language, &author)?.into()
        }
    })
}

async fn simulate<D: Db>(
    call: &Call<'_, D>,
    question: Rc<NewCheck>,
    language: Option<Language>,
) -> Result<Told, Problem> {
    let (db, when, at) = (call.db()?, asked(call)?, call.now());
    let all = |all: &[&(Rc<NewCheck>, Instant)]| {
        let asked: Vec<_> = all.iter().map(|(question, at)| (&**question, *at)).collect();
        check::simulate_ready(db, &asked)
    };
    let ready = match when.is_now() {
        true => together(&SIMULATED, call.env().let_in(), (question.clone(), at), all).await,
        false => None,
    };
    Ok(match ready {
        Some(told) => told,
        None => check::simulate_alone(db, &question, when, language, at)?.into(),
    })
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (customer, verdict): (Option<Id>, _) = (call.query(&CUSTOMER)?, call.query(&VERDICT)?);
    let (limit, before) = (call.limit()?, call.cursor()?.unwrap_or(i64::MAX));
    let (db, most) = (call.db()?, limit.saturating_add(1));
    let found = credit::checks(db, before, most, customer.as_ref(), verdict)?;
    let (items, next) = page::cut(found, limit, |(key, _)| *key)?;
    Answer::json(&CheckPage { items: items.into_iter().map(|(_, check)| check).collect(), next })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&check::get(call.db()?, &call.id()?, call.query(&LANGUAGE)?)?)
}

fn onboarding<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (of, language): (Application, _) = (call.body()?, call.query(&LANGUAGE)?);
    if of.customer.is_some() {
        call.needs(Scope::ScoreWrite)?;
    }
    let (db, made) = (call.db()?, call.new_id()?);
    Answer::json(&check::onboarding(db, &of, &made, language, &call.author())?)
}

fn application<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&check::application(call.db()?, &call.id()?, call.query(&LANGUAGE)?)?)
}
