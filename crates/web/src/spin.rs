//! The edge on Spin.

use crate::{
    Env, Problem, Route, Router,
    body::incomplete,
    env::{Post, Posted, Sleep},
};
use bytes::Bytes;
use dunlin_store::spin::SpinDb;
use http_body_util::{BodyExt as _, Full};
use spin_sdk::{
    http::{Request, Response},
    variables,
    wasip3::{clocks::monotonic_clock, http::types::ErrorCode, random::random::get_random_bytes},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
    io::Write as _,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The variables of every component.
const COMMON: [&str; 3] = [crate::auth::ADMIN_KEY, "body_limit", "import_limit"];

thread_local! {
    // Both live as long as the instance. Up to sixteen requests share them, and none changes them.
    static ROUTER: OnceCell<Result<Rc<Router<SpinDb>>, String>> = const { OnceCell::new() };
    static VARIABLES: RefCell<Option<Rc<Variables>>> = const { RefCell::new(None) };
}

type Variables = BTreeMap<&'static str, String>;

/// Answers a request of the component that has these routes and reads these variables besides the common ones. The
/// component calls nobody, so that what calls need is left out of it.
pub async fn serve(
    component: &'static str,
    routes: fn() -> Vec<Route<SpinDb>>,
    variables: &[&'static str],
    request: Request,
) -> Response<Full<Bytes>> {
    serve_with(component, routes, variables, nobody, request).await
}

fn nobody(_: Post) -> Posted {
    Box::pin(std::future::ready(Err("this component calls nobody".to_string())))
}

/// The same for a component that calls others.
pub async fn serve_calling(
    component: &'static str,
    routes: fn() -> Vec<Route<SpinDb>>,
    variables: &[&'static str],
    request: Request,
) -> Response<Full<Bytes>> {
    serve_with(component, routes, variables, send, request).await
}

async fn serve_with(
    component: &'static str,
    routes: fn() -> Vec<Route<SpinDb>>,
    variables: &[&'static str],
    post: fn(Post) -> Posted,
    request: Request,
) -> Response<Full<Bytes>> {
    let env = SpinEnv { variables: read(variables).await, post };
    let made = || Router::new(component, routes()).map(Rc::new);
    match ROUTER.with(|router| router.get_or_init(made).clone()) {
        Ok(router) => crate::serve(&router, &env, SpinDb::open, request).await,
        Err(fault) => failed(component, &fault),
    }
}

/// Headers that belong to one connection, and the length that the host says of a body by itself.
const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Lets another function of this application answer, under `to` and with the same headers. The body goes on as it
/// comes; the answer is that of a function of this application, which is small.
pub async fn hand_on(component: &'static str, request: Request, to: &str) -> Response<Full<Bytes>> {
    let headers = request.headers().clone();
    match handed_on(request, to).await {
        Ok(response) => response,
        Err(problem) => {
            let env = SpinEnv { variables: Rc::default(), post: nobody };
            crate::serve::not_handed_on(component, &env, &headers, &problem)
        }
    }
}

async fn handed_on(request: Request, to: &str) -> Result<Response<Full<Bytes>>, Problem> {
    let (mut parts, body) = request.into_parts();
    parts.uri =
        format!("http://self{to}").parse().map_err(|e| Problem::internal(format!("{to}: {e}")))?;
    OF_THE_CONNECTION.iter().for_each(|name| drop(parts.headers.remove(*name)));
    let broke_off = Rc::new(Cell::new(false));
    let breaks = broke_off.clone();
    let body = body.map_err(move |error| {
        breaks.set(true);
        error.to_string()
    });
    // What is wrong with the body is the client's, and all else is ours.
    let judge = |error: ErrorCode| match error {
        ErrorCode::HttpRequestBodySize(_) => incomplete("the body broke off".into()),
        _ if broke_off.get() => incomplete("the body broke off".into()),
        error => Problem::internal(error.to_string()),
    };
    let request = http::Request::from_parts(parts, body);
    let response = spin_sdk::http::send(request).await.map_err(judge)?;
    let (mut parts, body) = response.into_parts();
    OF_THE_CONNECTION.iter().for_each(|name| drop(parts.headers.remove(*name)));
    let body = body.collect().await.map_err(judge)?.to_bytes();
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// An answer for what is wrong before there is anything that could answer properly.
fn failed(component: &str, fault: &str) -> Response<Full<Bytes>> {
    let line =
        format!("{{\"level\":\"error\",\"component\":\"{component}\",\"cause\":{fault:?}}}\n");
    // A log that cannot be written to must not fail the request.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let mut response = Response::new(Full::default());
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Reads the variables once for the instance. A provider that fails is asked again by the next request.
async fn read(more: &[&'static str]) -> Rc<Variables> {
    if let Some(known) = VARIABLES.with_borrow(Clone::clone) {
        return known;
    }
    let (mut found, mut failed) = (Variables::new(), false);
    for name in COMMON.iter().chain(more) {
        match variables::get(name).await {
            Ok(value) if value.is_empty() => {}
            Ok(value) => drop(found.insert(name, value)),
            // Not every component declares every variable.
            Err(variables::Error::Undefined(_) | variables::Error::InvalidName(_)) => {}
            Err(_) => failed = true,
        }
    }
    let found = Rc::new(found);
    if !failed {
        VARIABLES.set(Some(found.clone()));
    }
    found
}

struct SpinEnv {
    variables: Rc<Variables>,
    post: fn(Post) -> Posted,
}

fn send(post: Post) -> Posted {
    Box::pin(async move {
        let mut request = Request::post(&post.url)
            .header("content-type", "application/json")
            .header("content-length", post.body.len());
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(post.body))).map_err(|e| e.to_string())?;
        let response = spin_sdk::http::send(request).await.map_err(|e| e.to_string())?;
        Ok(response.status().as_u16())
    })
}

impl Env for SpinEnv {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn unix_millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&self, into: &mut [u8]) {
        // The host may give fewer bytes than asked for, never none.
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let bytes = get_random_bytes(u64::try_from(rest.len()).unwrap_or(u64::MAX));
            rest.iter_mut().zip(&bytes).for_each(|(place, byte)| *place = *byte);
            filled = filled.saturating_add(bytes.len());
        }
    }

    fn log(&self, line: &str) {
        // A log that cannot be written to must not fail the request. In one piece it is one call of the host.
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }

    fn post(&self, post: Post) -> Posted {
        (self.post)(post)
    }

    fn sleep(&self, seconds: u32) -> Sleep {
        Box::pin(monotonic_clock::wait_for(u64::from(seconds).saturating_mul(1_000_000_000)))
    }

    fn lull(&self) -> Sleep {
        Box::pin(monotonic_clock::wait_until(0))
    }

    fn let_in(&self) -> Sleep {
        Box::pin(monotonic_clock::wait_for(0))
    }
}
