//! Idempotency-Key: the same request again gives the first answer again.

use crate::{
    Answer, Call, Problem, Route, media,
    route::{Handler, Takes},
    status,
};
use dunlin_app::idempotency::{self, Begun, Remembered, Token};
use dunlin_domain::{Instant, Refusal};
use dunlin_store::{Db, Fault};
use http::{HeaderMap, Method};

/// The request header.
pub(crate) const HEADER: &str = "idempotency-key";

/// The header of an answer that was given before.
pub(crate) const REPLAYED: &str = "idempotency-replayed";

/// The longest token.
const MAX_TOKEN: usize = 255;

/// How long a run may take before it is taken for dead. Nothing that takes a JSON body runs longer than a sweep tick
/// of twenty seconds and the waits for the database.
const RUN_SECONDS: i64 = 60;

/// The same for streams: 512 MiB over a slow line.
const STREAM_SECONDS: i64 = 15 * 60;

/// What became of a run beyond its answer.
pub(crate) struct Ran {
    pub outcome: Result<Answer, Problem>,
    pub replayed: bool,
    /// Why the answer was not kept, for the log: the client has its answer all the same.
    pub unkept: Option<String>,
}

impl From<Result<Answer, Problem>> for Ran {
    fn from(outcome: Result<Answer, Problem>) -> Self {
        Self { outcome, replayed: false, unkept: None }
    }
}

/// The token of a writing request, if it sent one.
pub(crate) fn token(
    method: &Method,
    headers: &HeaderMap,
    caller: Option<&str>,
) -> Result<Option<Token>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let (Some(value), Some(caller), true) =
        (values.next(), caller, matches!(*method, Method::POST | Method::PUT))
    else {
        return Ok(None);
    };
    let visible = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_graphic);
    let text = value
        .to_str()
        .ok()
        .filter(|text| (1..=MAX_TOKEN).contains(&text.len()) && visible(text.as_bytes()));
    match (text, values.next()) {
        (Some(text), None) => {
            Ok(Some(Token { caller: caller.to_string(), token: text.to_string() }))
        }
        _ => {
            let detail = format!(
                "an Idempotency-Key has 1 to {MAX_TOKEN} visible ASCII characters, and stands once"
            );
            Err(Problem::new(Refusal::MalformedParameter, detail).at("Idempotency-Key"))
        }
    }
}

/// Runs the handler.
pub(crate) async fn plainly<D: Db>(
    route: &Route<D>,
    call: &mut Call<'_, D>,
) -> Result<Answer, Problem> {
    match route.handler {
        Handler::Plain(handler) => handler(call),
        Handler::Async(handler) => handler(call).await,
    }
}

/// Runs the handler, unless this request was answered before.
pub(crate) async fn once<D: Db>(route: &Route<D>, call: &mut Call<'_, D>, token: &Token) -> Ran {
    match begin(route, call, token) {
        Err(problem) => Err(problem).into(),
        Ok(Begun::Answered { request_hash, answer }) => {
            let outcome = again(call, &request_hash, answer).await;
            Ran { replayed: outcome.is_ok(), outcome, unkept: None }
        }
        Ok(Begun::Run(run)) => {
            let outcome = plainly(route, call).await;
            let unkept = keep(route, call, token, run, &outcome).await.err();
            let unkept = unkept
                .map(|e| format!("the answer was not kept: {}", e.cause().unwrap_or(e.detail())));
            Ran { outcome, replayed: false, unkept }
        }
    }
}

fn begin<D: Db>(route: &Route<D>, call: &Call<'_, D>, token: &Token) -> Result<Begun, Problem> {
    let streams = matches!(route.info.takes, Takes::Stream(_));
    let hash = (!streams).then(|| call.body.hash());
    let seconds = if streams { STREAM_SECONDS } else { RUN_SECONDS };
    Ok(idempotency::begin(
        call.db()?,
        token,
        hash.as_ref().map(<[u8; 32]>::as_slice),
        call.now,
        seconds,
    )?)
}

/// The first answer. A stream is read to its end first, since only then it is known to be the same.
async fn again<D: Db>(
    call: &mut Call<'_, D>,
    known: &[u8],
    answer: Remembered,
) -> Result<Answer, Problem> {
    call.body.read_away(call.env).await?;
    idempotency::check(known, &call.body.hash())?;
    Ok(Answer::of(&answer.media_type, answer.body).status(answer.status).header(REPLAYED, "true"))
}

async fn keep<D: Db>(
    route: &Route<D>,
    call: &mut Call<'_, D>,
    token: &Token,
    run: Instant,
    outcome: &Result<Answer, Problem>,
) -> Result<(), Problem> {
    if outcome.is_ok() {
        // A handler may have no need of the last bytes; the hash has.
        let _ = call.body.read_away(call.env).await;
    }
    let answer = match outcome {
        Ok(answer) => remembered(answer),
        Err(problem) if status::is_passing(problem.code()) => None,
        Err(problem) => remembered(&media::problem(problem, call.request_id)),
    };
    // What was refused before its end has stored nothing, and may be tried again as it is.
    match answer.filter(|_| call.body.is_read() && !route.info.secret) {
        Some(answer) => idempotency::finish(call.db()?, token, run, &call.body.hash(), &answer)?,
        // Whose handler another one spared the wait does not wait for this either: the run is over in its time.
        None if call.database.was_spared.get() => return Err(Fault::Locked.into()),
        None => idempotency::forget(call.db()?, token, run)?,
    }
    Ok(())
}

fn remembered(answer: &Answer) -> Option<Remembered> {
    let body = std::str::from_utf8(&answer.body).ok().filter(|_| answer.status < 500)?;
    Some(Remembered {
        status: answer.status,
        media_type: answer.media.clone(),
        body: body.to_string(),
    })
}
