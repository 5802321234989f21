//! What all functions have in common, in the one order in which it is done.

use crate::{
    Answer, Call, Env, Problem, Route, RouteInfo, Router, accept,
    auth::authorise,
    body::{Body, Source},
    call::{Database, found_locked, uuid},
    log::{Line, level},
    media, query,
    replay::{self, Ran},
    route::Takes,
    router::{Found, PathValues},
};
use bytes::Bytes;
use dunlin_domain::{Instant, Refusal};
use dunlin_store::{Db, Fault};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, HeaderName},
    request::Parts,
};
use http_body_util::{BodyExt, Full};
use std::fmt::Display;

/// The bytes a JSON body may have when the variable `body_limit` says nothing.
pub const BODY_LIMIT: u64 = 1 << 20;

/// The bytes a stream may have when the variable `import_limit` says nothing.
pub const IMPORT_LIMIT: u64 = 512 << 20;

/// The request's id, in and out.
const REQUEST_ID: &str = "x-request-id";

/// What the log is told besides the answer.
#[derive(Default)]
struct Trace {
    operation: Option<&'static str>,
    key_id: Option<String>,
    replayed: bool,
    unkept: Option<String>,
}

/// Answers a request: every error becomes an answer, and every request one line of the log.
pub async fn serve<D, B>(
    router: &Router<D>,
    env: &dyn Env,
    open: impl Fn() -> Result<D, Fault>,
    request: http::Request<B>,
) -> http::Response<Full<Bytes>>
where
    D: Db,
    B: http_body::Body<Data = Bytes>,
    B::Error: Display,
{
    let began = env.unix_millis();
    let (parts, body) = request.into_parts();
    let id = request_id(&parts.headers, env);
    let mut trace = Trace::default();
    let database = Database::new(&open);
    let source: Source<'_> = Box::pin(body.map_err(|e| e.to_string()));
    let edge =
        Edge { router, env, database: &database, parts: &parts, request_id: &id, now: env.now() };
    let outcome = edge.handle(source, &mut trace).await;
    let answer = match &outcome {
        Ok(answer) => answer.clone(),
        Err(problem) => media::problem(problem, &id),
    };
    let problem = outcome.as_ref().err();
    let is_locked = problem.is_some_and(|problem| problem.code() == Refusal::DatabaseBusy);
    if is_locked && !database.was_spared.get() {
        found_locked();
    }
    let line = Line {
        at: edge.now,
        level: if trace.unkept.is_some() { "error" } else { level(answer.status, problem) },
        request_id: &id,
        component: router.component(),
        operation: trace.operation,
        status: answer.status,
        ms: env.unix_millis().saturating_sub(began),
        key_id: trace.key_id.as_deref(),
        rows: answer.rows,
        replayed: trace.replayed,
        code: problem.map(|problem| problem.code().name()),
        cause: problem.and_then(Problem::cause).or(trace.unkept.as_deref()),
    };
    env.log(&line.to_json());
    respond(answer, &id, parts.method == Method::HEAD)
}

/// Answers a request that could not be handed on, with its line of the log.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only components hand on"))]
pub(crate) fn not_handed_on(
    component: &'static str,
    env: &dyn Env,
    headers: &HeaderMap,
    problem: &Problem,
) -> http::Response<Full<Bytes>> {
    let id = request_id(headers, env);
    let line = Line {
        at: env.now(),
        level: level(problem.status(), Some(problem)),
        request_id: &id,
        component,
        operation: None,
        status: problem.status(),
        ms: 0,
        key_id: None,
        rows: None,
        replayed: false,
        code: Some(problem.code().name()),
        cause: problem.cause(),
    };
    env.log(&line.to_json());
    respond(media::problem(problem, &id), &id, false)
}

/// A request between its head and its handler.
struct Edge<'r, D> {
    router: &'r Router<D>,
    env: &'r dyn Env,
    database: &'r Database<'r, D>,
    parts: &'r Parts,
    request_id: &'r str,
    now: Instant,
}

impl<'r, D: Db> Edge<'r, D> {
    async fn handle(&self, source: Source<'r>, trace: &mut Trace) -> Result<Answer, Problem> {
        let (route, path) = match self.router.find(&self.parts.method, self.parts.uri.path())? {
            Found::Route(route, path) => (route, path),
            Found::Options(allowed) => {
                return Ok(Answer::of("", "").status(204).header("allow", allowed));
            }
        };
        trace.operation = Some(route.info.name);
        let mut call = self.call(route, path, source, trace)?;
        let token = replay::token(&self.parts.method, &self.parts.headers, call.key_id())?;
        if token.is_none() {
            call.body.unhashed();
        }
        if !matches!(route.info.takes, Takes::Stream(_)) {
            call.body.read_whole(self.env).await?;
        }
        if token.is_some() || route.writes_alone() {
            self.env.lull().await;
            self.database.has_waited()?;
        }
        let ran = match token {
            Some(token) => replay::once(route, &mut call, &token).await,
            None => Ran::from(replay::plainly(route, &mut call).await),
        };
        (trace.replayed, trace.unkept) = (ran.replayed, ran.unkept);
        ran.outcome
    }

    /// Everything that can be refused before the body is read.
    fn call(
        &self,
        route: &'r Route<D>,
        path: PathValues,
        source: Source<'r>,
        trace: &mut Trace,
    ) -> Result<Call<'r, D>, Problem> {
        let (info, headers) = (&route.info, &self.parts.headers);
        let caller = authorise(info, self.env, headers, self.database, self.now)?;
        trace.key_id = caller.as_ref().map(|caller| caller.id.clone());
        let query = query::read(self.parts.uri.query(), &info.query)?;
        let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept = accept.collect::<Vec<_>>().join(",");
        let wants = accept::negotiate(Some(&accept), &info.formats)?;
        let media = media::check(&info.takes, headers)?;
        Ok(Call {
            database: self.database,
            env: self.env,
            info,
            path,
            query,
            wants,
            caller,
            request_id: self.request_id,
            media,
            now: self.now,
            body: self.body(info, source)?,
            headers,
        })
    }

    fn body(&self, info: &RouteInfo, source: Source<'r>) -> Result<Body<'r>, Problem> {
        if info.method == Method::GET {
            return Ok(Body::none());
        }
        let limit = match info.takes {
            Takes::Stream(_) => limit(self.env, "import_limit", IMPORT_LIMIT)?,
            Takes::Nothing | Takes::Json(_) => limit(self.env, "body_limit", BODY_LIMIT)?,
        };
        let announced =
            media::text(&self.parts.headers, CONTENT_LENGTH).and_then(|text| text.parse().ok());
        let target = self.parts.uri.path_and_query().map_or("/", |target| target.as_str());
        Body::new(source, limit, announced, &format!("{} {target}\n", info.method))
    }
}

fn limit(env: &dyn Env, name: &str, default: u64) -> Result<u64, Problem> {
    let Some(text) = env.variable(name) else { return Ok(default) };
    let refused = |_| {
        Problem::new(
            Refusal::NotConfigured,
            format!("the variable {name} is not a number of bytes"),
        )
    };
    text.trim().parse().map_err(refused)
}

/// The client's id for the request where it is harmless in a log, else one of ours.
fn request_id(headers: &HeaderMap, env: &dyn Env) -> String {
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let sent = media::text(headers, HeaderName::from_static(REQUEST_ID)).filter(harmless);
    sent.map(str::to_string).unwrap_or_else(|| {
        let mut random = [0; 10];
        env.random(&mut random);
        uuid(env.unix_millis(), random)
    })
}

fn respond(answer: Answer, request_id: &str, head_only: bool) -> http::Response<Full<Bytes>> {
    let mut headers = answer.headers;
    if !answer.media.is_empty() {
        headers.push(("content-type", answer.media));
    }
    headers.push((REQUEST_ID, request_id.to_string()));
    headers.push(("x-content-type-options", "nosniff".to_string()));
    // What is here is somebody's debts, or changes by the second.
    headers.push(("cache-control", "no-store".to_string()));
    // With its length said, nobody waits for the end of a body after its last byte.
    if !head_only && answer.status != 204 {
        headers.push(("content-length", answer.body.len().to_string()));
    }
    let mut response =
        http::Response::new(Full::new(if head_only { Bytes::new() } else { answer.body }));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
