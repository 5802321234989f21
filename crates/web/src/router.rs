//! Finds the route of a request.

use crate::{Problem, Route, RouteInfo, percent};
use dunlin_domain::Refusal;
use http::Method;

/// A component's routes, ready to be searched.
pub struct Router<D> {
    component: &'static str,
    routes: Vec<Route<D>>,
    /// For each path the places of its routes in `routes`.
    paths: matchit::Router<Vec<usize>>,
}

/// The values of a path's parameters, decoded.
pub(crate) type PathValues = Vec<(String, String)>;

/// What is at a path.
pub(crate) enum Found<'r, D> {
    Route(&'r Route<D>, PathValues),
    /// The path is served, and this is what `OPTIONS` is answered.
    Options(String),
}

impl<D> Router<D> {
    /// Takes a component's table. Two rows of the same method and path, or paths that cannot be told apart, are our
    /// mistake and named.
    pub fn new(component: &'static str, routes: Vec<Route<D>>) -> Result<Self, String> {
        let mut paths: matchit::Router<Vec<usize>> = matchit::Router::new();
        let mut by_path: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (place, route) in routes.iter().enumerate() {
            let info = &route.info;
            let same = |other: &&Route<D>| {
                other.info.path == info.path && other.info.method == info.method
            };
            if routes.iter().take(place).any(|other| same(&other)) {
                return Err(format!("{} {} stands twice in the table", info.method, info.path));
            }
            match by_path.iter_mut().find(|(path, _)| *path == info.path) {
                Some((_, places)) => places.push(place),
                None => by_path.push((info.path, vec![place])),
            }
        }
        for (path, places) in by_path {
            paths.insert(path, places).map_err(|e| format!("{path}: {e}"))?;
        }
        Ok(Self { component, routes, paths })
    }

    /// The component's name, for the log.
    pub fn component(&self) -> &'static str {
        self.component
    }

    /// The table, for documents and tests.
    pub fn infos(&self) -> impl Iterator<Item = &RouteInfo> {
        self.routes.iter().map(Route::info)
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<Found<'_, D>, Problem> {
        let nothing = || Problem::new(Refusal::NotFound, "nothing is at this URL");
        // The path is matched as it was sent, so that an encoded slash does not end a segment.
        let at = self.paths.at(path).map_err(|_| nothing())?;
        let routes = || at.value.iter().filter_map(|place| self.routes.get(*place));
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(route) = routes().find(|route| route.info.method == wanted) {
            return Ok(Found::Route(route, decoded(&at.params)?));
        }
        let mut allowed: Vec<&str> = routes().map(|route| route.info.method.as_str()).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.push("OPTIONS");
        let allowed = allowed.join(", ");
        if method == Method::OPTIONS {
            return Ok(Found::Options(allowed));
        }
        Err(Problem::new(Refusal::MethodNotAllowed, format!("this URL takes {allowed}"))
            .allow(allowed))
    }
}

fn decoded(params: &matchit::Params<'_, '_>) -> Result<PathValues, Problem> {
    let decoded = |(name, value): (&str, &str)| {
        let refused =
            || Problem::new(Refusal::MalformedId, "the path is not percent-encoded UTF-8").at(name);
        Ok((name.to_string(), percent::decode(value).ok_or_else(refused)?))
    };
    params.iter().map(decoded).collect()
}
