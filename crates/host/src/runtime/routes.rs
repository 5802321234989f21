//! Which component answers a path: exact segments, `:name` segments and a trailing `/...`.

use crate::manifest::Manifest;
use anyhow::{Result, bail, ensure};

/// One segment of a pattern. The order is the precedence: what says more wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    /// `/...` at the end: any number of segments, also none.
    Rest,
    /// The end of a pattern without `/...`; only used to compare two patterns.
    End,
    /// `:name`: exactly one segment.
    Named(String),
    /// The segment as written.
    Exact(String),
}

/// A pattern and the component behind it.
#[derive(Debug)]
struct Route {
    /// As written in the manifest.
    pattern: String,
    component: String,
    segments: Vec<Segment>,
}

/// The public routes of an application, the most specific first.
#[derive(Debug)]
pub struct Router(Vec<Route>);

/// A path that found its route.
#[derive(Debug, PartialEq)]
pub struct Match<'r> {
    pub pattern: &'r str,
    pub component: &'r str,
    /// What `/...` stood for, with its leading slash, as Spin hands it on; empty without `/...`.
    pub rest: String,
    /// What each `:name` stood for.
    pub named: Vec<(&'r str, String)>,
}

impl Router {
    /// Takes the public routes of `manifest`. Two patterns that match the same paths are refused.
    pub fn new(manifest: &Manifest) -> Result<Router> {
        let mut routes = Vec::new();
        for trigger in &manifest.http {
            if let Some(pattern) = &trigger.route {
                let segments = parse(pattern)?;
                routes.push(Route {
                    pattern: pattern.clone(),
                    component: trigger.component.clone(),
                    segments,
                });
            }
        }
        routes.sort_by_cached_key(|route| std::cmp::Reverse(specificity(route)));
        for pair in routes.windows(2) {
            ensure!(
                specificity(&pair[0]) != specificity(&pair[1]),
                "the routes `{}` and `{}` match the same paths",
                pair[0].pattern,
                pair[1].pattern
            );
        }
        Ok(Router(routes))
    }

    /// The most specific route for `path`. Empty segments do not count, as in Spin.
    pub fn find(&self, path: &str) -> Option<Match<'_>> {
        let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
        self.0.iter().find_map(|route| route.matches(path, &segments))
    }
}

impl Route {
    fn matches(&self, path: &str, segments: &[&str]) -> Option<Match<'_>> {
        let mut named = Vec::new();
        let mut rest = String::new();
        let mut left = segments.iter();
        for segment in &self.segments {
            match segment {
                Segment::Rest => {
                    for part in left.by_ref() {
                        rest.push('/');
                        rest.push_str(part);
                    }
                    if path.ends_with('/') {
                        rest.push('/');
                    }
                }
                Segment::End => {}
                Segment::Named(name) => named.push((name.as_str(), (*left.next()?).to_owned())),
                Segment::Exact(text) if *left.next()? == text.as_str() => {}
                Segment::Exact(_) => return None,
            }
        }
        if left.next().is_some() {
            return None;
        }
        Some(Match { pattern: &self.pattern, component: &self.component, rest, named })
    }
}

/// Patterns that match the same paths are equal here: the name of a `:name` does not count.
fn specificity(route: &Route) -> Vec<Segment> {
    let unnamed = |segment: &Segment| match segment {
        Segment::Named(_) => Segment::Named(String::new()),
        other => other.clone(),
    };
    let end = (route.segments.last() != Some(&Segment::Rest)).then_some(Segment::End);
    route.segments.iter().map(unnamed).chain(end).collect()
}

fn parse(pattern: &str) -> Result<Vec<Segment>> {
    ensure!(pattern.starts_with('/'), "the route `{pattern}` must start with `/`");
    let (body, open) = match pattern.strip_suffix("/...") {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let mut segments = Vec::new();
    for part in body.split('/').filter(|part| !part.is_empty()) {
        match part.strip_prefix(':') {
            Some("") => bail!("the route `{pattern}` has a `:` without a name"),
            Some(name) => {
                ensure!(
                    !name.contains(['.', ':']),
                    "the route `{pattern}` mixes `:{name}` with other text in one segment, which the \
                     local runtime does not support; run the application with `spin up`"
                );
                segments.push(Segment::Named(name.to_owned()));
            }
            None => {
                ensure!(
                    !part.contains(['*', ':']) && part != "...",
                    "the route `{pattern}` may use `:name` for a whole segment and `/...` at the end"
                );
                segments.push(Segment::Exact(part.to_owned()));
            }
        }
    }
    if open {
        segments.push(Segment::Rest);
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn router(patterns: &[&str]) -> Result<Router> {
        let mut text = "spin_manifest_version = 2\n[application]\nname = \"a\"\n".to_owned();
        for (nth, pattern) in patterns.iter().enumerate() {
            text.push_str(&format!(
                "[[trigger.http]]\nroute = {pattern:?}\ncomponent = \"c{nth}\"\n"
            ));
            text.push_str(&format!("[component.c{nth}]\nsource = \"x.wasm\"\n"));
        }
        Router::new(&Manifest::parse(Path::new("spin.toml"), &text)?)
    }

    /// Each line: a path, the pattern that answers it, and what `/...` stands for; `-` is nothing.
    const TABLE: &str = "
        /                          /                      -
        /healthz                   /healthz               -
        /healthz/                  /healthz               -
        //healthz                  /healthz               -
        /healthz/x                 /...                   /healthz/x
        /v1                        /...                   /v1
        /v1/ingest                 /v1/ingest/...         -
        /v1/ingest/                /v1/ingest/...         /
        /v1/ingest/customers       /v1/ingest/...         /customers
        /v1/ingest/customers/7     /v1/ingest/...         /customers/7
        /v1/ingest/customers/7/    /v1/ingest/...         /customers/7/
        /v1/ingest/keys            /v1/ingest/keys        -
        /v1/ingest/keys/9          /v1/ingest/keys/:id    -
        /v1/ingest/keys/9/revoke   /v1/ingest/keys/:id/...  /revoke
        /v1/ingest/keys/new        /v1/ingest/keys/new    -
        /v1/ingestion              /...                   /v1/ingestion
        /V1/ingest                 /...                   /V1/ingest
        /v1/%69ngest               /...                   /v1/%69ngest
    ";

    #[test]
    fn the_most_specific_route_wins() {
        let router = router(&[
            "/...",
            "/v1/ingest/...",
            "/v1/ingest/keys",
            "/v1/ingest/keys/:id/...",
            "/v1/ingest/keys/:id",
            "/v1/ingest/keys/new",
            "/healthz",
            "/",
        ])
        .unwrap();
        for line in TABLE.trim().lines() {
            let [path, pattern, rest] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let found = router.find(path).unwrap();
            let rest = if rest == "-" { "" } else { rest };
            assert_eq!((found.pattern, found.rest.as_str()), (pattern, rest), "{line}");
        }
    }

    #[test]
    fn a_named_segment_is_handed_on() {
        let router = router(&["/a/:one/b/:two"]).unwrap();
        let found = router.find("/a/1/b/x%20y").unwrap();
        assert_eq!(found.named, [("one", "1".to_owned()), ("two", "x%20y".to_owned())]);
        assert_eq!(router.find("/a/1/b"), None);
        assert_eq!(router.find("/a/1/c/2"), None);
    }

    #[test]
    fn patterns_that_cannot_be_kept_are_refused() {
        for patterns in [
            &["v1"][..],
            &["/a/:"],
            &["/a/:id.csv"],
            &["/a/*"],
            &["/a/.../b"],
            &["/a", "/a/"],
            &["/a/:x", "/a/:y"],
            &["/a/...", "/a/..."],
        ] {
            assert!(router(patterns).is_err(), "{patterns:?}");
        }
    }
}
