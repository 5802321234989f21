//! Where a component may send requests, and for how long.

use crate::manifest::{Component, Resolved};
use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::BodyExt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// The host name by which an application reaches itself.
const SELF: &str = "self";

/// The hosts a component may reach; nothing else leaves the machine.
#[derive(Debug, Default)]
pub struct AllowedHosts(Vec<AllowedHost>);

/// One `scheme://host:port`, each of which may be `*`.
#[derive(Debug, PartialEq)]
struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, PartialEq)]
enum Host {
    Any,
    /// `*.example.com`, kept with its leading dot.
    Below(String),
    Exactly(String),
}

impl AllowedHosts {
    /// Reads the list of a component. An entry that resolves to nothing allows nothing: that is how a variable
    /// without a value switches a receiver off.
    pub fn new(component: &Component, variables: &Resolved) -> Result<AllowedHosts> {
        let mut hosts = Vec::new();
        for template in &component.allowed_outbound_hosts {
            let text = variables.fill(template)?;
            if !text.trim().is_empty() {
                let host = parse(text.trim())
                    .with_context(|| format!("`allowed_outbound_hosts` has {text:?}"))?;
                hosts.push(host);
            }
        }
        Ok(AllowedHosts(hosts))
    }

    /// Whether a request to `uri` may leave. A URI without scheme or host may not.
    pub fn allows(&self, uri: &http::Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
        let host = host.to_ascii_lowercase();
        let Some(port) = uri.port_u16().or_else(|| well_known_port(scheme)) else { return false };
        self.0.iter().any(|allowed| {
            allowed.scheme.as_deref().is_none_or(|s| s == scheme)
                && allowed.port.is_none_or(|p| p == port)
                && match &allowed.host {
                    Host::Any => true,
                    Host::Below(suffix) => host.ends_with(suffix.as_str()),
                    Host::Exactly(name) => *name == host,
                }
        })
    }
}

fn parse(text: &str) -> Result<AllowedHost> {
    let (scheme, rest) = text
        .split_once("://")
        .context("which has no scheme; write `https://example.com` or `http://127.0.0.1:8080`")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    ensure!(!rest.contains('/'), "which has a path; a host is allowed as a whole");
    ensure!(!text.contains(['{', '}', '@']), "which the local runtime does not support");
    // An IPv6 address carries colons of its own, inside brackets.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let port = match port {
        Some("*") => None,
        Some(port) => Some(port.parse().context("whose port is not a number")?),
        None => Some(well_known_port(scheme).context("which needs a port")?),
    };
    let host = match host.to_ascii_lowercase() {
        host if host.is_empty() || host.ends_with("spin.internal") => {
            bail!("which the local runtime does not support; run the application with `spin up`")
        }
        host if host == "*" => Host::Any,
        host => match host.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => Host::Below(suffix.to_owned()),
            _ if host.contains('*') => bail!("where `*` may only stand for a whole part"),
            _ => Host::Exactly(host),
        },
    };
    let scheme = (scheme != "*").then(|| scheme.to_ascii_lowercase());
    Ok(AllowedHost { scheme, host, port })
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Sends what a component is allowed to send and refuses the rest before a socket is opened.
pub struct Outbound {
    pub allowed: Arc<AllowedHosts>,
    /// Where this application listens: what `http://self` stands for.
    pub own: SocketAddr,
    /// The most a component may wait for a connection, for the first byte and between two bytes.
    pub deadline: Duration,
    /// The same where the application calls itself: the answer comes when the body is through and the work is done, and
    /// that request has a bound of its own.
    pub own_deadline: Duration,
}

type Sent =
    Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if !self.allowed.allows(request.uri()) {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        let calls_itself = request.uri().host() == Some(SELF);
        let limit = if calls_itself { self.own_deadline } else { self.deadline };
        let request = match to_self(request, self.own) {
            Ok(request) => request,
            Err(_) => return Box::new(std::future::ready(Err(Error::HttpRequestUriInvalid))),
        };
        let asked = options.unwrap_or_default();
        let at_most = |wanted: Option<Duration>| Some(wanted.map_or(limit, |w| w.min(limit)));
        let options = RequestOptions {
            connect_timeout: at_most(asked.connect_timeout),
            first_byte_timeout: at_most(asked.first_byte_timeout),
            between_bytes_timeout: at_most(asked.between_bytes_timeout),
        };
        Box::new(async move {
            let (response, io) = default_send_request(request, Some(options)).await?;
            let io: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(io);
            Ok((response.map(BodyExt::boxed_unsync), io))
        })
    }
}

/// A request to the host `self` goes to the application itself.
fn to_self<B>(
    mut request: http::Request<B>,
    own: SocketAddr,
) -> Result<http::Request<B>, http::Error> {
    if request.uri().host() != Some(SELF) {
        return Ok(request);
    }
    let authority = own.to_string();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() =
        http::Uri::builder().scheme("http").authority(&*authority).path_and_query(path).build()?;
    request.headers_mut().insert(http::header::HOST, authority.parse()?);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: the entry, a URL, and whether it may be reached.
    const TABLE: &str = "
        https://a.example        https://a.example/x          yes
        https://a.example        https://A.Example/x          yes
        https://a.example        https://a.example:443/       yes
        https://a.example        https://a.example:8443/      no
        https://a.example        http://a.example/            no
        https://a.example        https://b.example/           no
        https://a.example        https://x.a.example/         no
        https://*.a.example      https://x.a.example/         yes
        https://*.a.example      https://a.example/           no
        https://*.a.example      https://xa.example/          no
        http://127.0.0.1:8080    http://127.0.0.1:8080/hook   yes
        http://127.0.0.1:8080    http://127.0.0.1:80/hook     no
        http://127.0.0.1:*       http://127.0.0.1:9/          yes
        http://[::1]:8080        http://[::1]:8080/           yes
        http://[::1]             http://[::1]/                yes
        *://*:*                  http://anything.example:1/   yes
    ";

    #[test]
    fn only_listed_hosts_are_reached() {
        for line in TABLE.trim().lines() {
            let [entry, url, wanted] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let hosts = AllowedHosts(vec![parse(entry).unwrap()]);
            assert_eq!(hosts.allows(&url.parse().unwrap()), wanted == "yes", "{line}");
        }
        assert!(!AllowedHosts::default().allows(&"http://a.example/".parse().unwrap()));
    }

    #[test]
    fn self_is_the_application() {
        let hosts = AllowedHosts(vec![parse("http://self").unwrap()]);
        let uri: http::Uri = "http://self/v1/score?a=b".parse().unwrap();
        assert!(hosts.allows(&uri));
        assert!(!AllowedHosts(vec![parse("https://a.example").unwrap()]).allows(&uri));
        for (uri, wanted) in [
            ("http://self/v1/score?a=b", "http://127.0.0.1:4711/v1/score?a=b"),
            ("http://self", "http://127.0.0.1:4711/"),
            ("https://a.example/x", "https://a.example/x"),
        ] {
            let request = http::Request::get(uri).body(()).unwrap();
            let sent = to_self(request, SocketAddr::from(([127, 0, 0, 1], 4711))).unwrap();
            assert_eq!(sent.uri().to_string(), wanted);
        }
    }

    #[test]
    fn entries_that_cannot_be_kept_are_refused() {
        for entry in [
            "a.example",
            "ftp://a.example",
            "https://a.example/path",
            "https://user@a.example",
            "https://a*.example",
            "http://x.spin.internal",
            "https://a.example:port",
        ] {
            assert!(parse(entry).is_err(), "{entry}");
        }
    }
}
