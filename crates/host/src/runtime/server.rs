//! The HTTP server in front of the components.

use super::body::{Arriving, Leaving};
use super::instances::Instances;
use super::lanes::{Lanes, Place};
use super::log::{self, LogSink};
use super::problem::Problem;
use super::routes::{Match, Router};
use super::settings::Limits;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Uri, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, watch};
use wasmtime_wasi_http::handler::ExpirationError;

/// All that a request needs to be answered.
pub struct App {
    pub router: Router,
    pub components: HashMap<String, Lanes>,
    pub instances: Arc<Instances>,
    pub limits: Limits,
    pub log: LogSink,
}

type Response = http::Response<Leaving<Option<Place>>>;

/// Serves until `stop` turns true, then lets what is in flight finish, within the time allowed for that.
pub async fn serve(app: Arc<App>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(app.limits.connections));
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(app.limits.header);
    loop {
        let Ok(room) = connections.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        let Ok((stream, client)) = accepted else {
            // Out of file descriptors, most likely: some will be free again in a moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Small responses must not wait for more to come.
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        let service = hyper::service::service_fn(move |request| {
            let app = app.clone();
            async move { Ok::<_, Infallible>(app.answer(request, client).await) }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A connection that breaks is the client's affair.
            let _ = connection.await;
            drop(room);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(app.limits.shutdown, graceful.shutdown()).await;
    app.instances.close().await;
}

impl App {
    async fn answer(&self, request: http::Request<Incoming>, client: SocketAddr) -> Response {
        let Some(found) = self.router.find(request.uri().path()) else {
            return refuse(Problem::NotFound, None);
        };
        let Some(lanes) = self.components.get(found.component) else {
            return refuse(Problem::Internal, None);
        };
        let component = found.component;
        let (mut parts, body) = request.into_parts();
        if prepare(&mut parts, &found, client).is_none() {
            return refuse(Problem::BadRequest, None);
        }
        let stalled = Arc::new(Notify::new());
        let body = Arriving::new(body, self.limits.body_idle, stalled.clone());
        let answered = async {
            let body = body.taken_in().await;
            lanes.handle(http::Request::from_parts(parts, body)).await
        };
        let started = Instant::now();
        tokio::select! {
            biased;
            () = stalled.notified() => refuse(Problem::Stalled, None),
            (answer, place) = answered => match answer {
                Ok(response) => response.map(|body| Leaving::new(body, place)),
                Err(error) => {
                    log::event(&self.log, "error", component, "request-failed", &format!("{error:#}"));
                    let overrun = error.is::<ExpirationError>() || started.elapsed() >= self.limits.request;
                    refuse(if overrun { Problem::Overrun } else { Problem::Internal }, place)
                }
            },
        }
    }
}

fn refuse(problem: Problem, place: Option<Place>) -> Response {
    problem.response().map(|body| Leaving::new(body, place))
}

/// Completes the URI and tells the component, as Spin does, where it stands. What a client sends under these names
/// is dropped. `None` when the request names no host, or two.
fn prepare(parts: &mut http::request::Parts, found: &Match<'_>, client: SocketAddr) -> Option<()> {
    let named = parts.headers.get(header::HOST).map(HeaderValue::to_str).transpose().ok()?;
    let named: Option<Authority> = named.map(str::parse).transpose().ok()?;
    let authority = match (named, parts.uri.authority()) {
        (Some(host), Some(target)) if host != *target => return None,
        (Some(host), _) => host,
        (None, target) => target?.clone(),
    };
    let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let full_url = format!("http://{authority}{path}");
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(authority);
    uri.path_and_query = Some(path);
    parts.uri = Uri::from_parts(uri).ok()?;

    let headers = &mut parts.headers;
    let told_by_client: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("spin-")).cloned().collect();
    for name in told_by_client {
        headers.remove(name);
    }
    headers.remove(header::CONNECTION);
    let route = found.pattern.strip_suffix("/...").unwrap_or(found.pattern);
    for (name, value) in [
        ("spin-full-url", full_url.as_str()),
        ("spin-path-info", &found.rest),
        ("spin-matched-route", found.pattern),
        ("spin-raw-component-route", found.pattern),
        ("spin-component-route", route),
        ("spin-base-path", "/"),
        ("spin-client-addr", &client.to_string()),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
    }
    for (name, value) in &found.named {
        let name = format!("spin-path-match-{}", name.to_ascii_lowercase());
        headers.insert(
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_str(value).ok()?,
        );
    }
    Some(())
}
